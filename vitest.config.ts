import { defineConfig } from "vitest/config";

/** Under a prober of many requests a second, with nothing else beside it. */
const alone = ["test/lab/seamless.test.ts"];
/** Slow, and of what is rare: `npm run test:all`. */
const rare = ["test/lab/neighbour.test.ts", "test/lab/seamless-rare.test.ts"];
const lab = { env: { LAB_PREPARED: "1" }, testTimeout: 1_200_000, hookTimeout: 1_800_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{core,steps,verbs,outside,wiring,cli,lab,components,stacks,policy,bench}/**/*.test.ts"],
          exclude: ["lab/suite/**"],
          // They run beside others; what hangs, hangs longer than this.
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "peers",
          include: ["test/peers/**/*.test.ts"],
          testTimeout: 360_000,
          hookTimeout: 360_000,
        },
      },
      {
        test: {
          name: "plugins",
          include: ["toolchain/conformance/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          ...lab,
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          exclude: [...alone, ...rare],
          // Each file has towns and a stack of its own. One life of a town begins without Debian's packages; the others need
          // not install them again.
          maxWorkers: 2,
        },
      },
      { test: { ...lab, name: "lab-alone", include: alone, maxWorkers: 1 } },
      { test: { ...lab, name: "lab-rare", include: rare, maxWorkers: 1 } },
    ],
  },
});
