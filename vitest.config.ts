import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{core,cli,adapters,operations,lab,components,stacks,policy,bench}/**/*.test.ts"],
          exclude: ["lab/suite/**"],
          // They run beside others; what hangs, hangs longer than this.
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "peers",
          include: ["test/peers/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          name: "plugins",
          include: ["toolchain/conformance/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          exclude: ["test/lab/seamless.test.ts"],
          testTimeout: 1_200_000,
          hookTimeout: 1_800_000,
          // One life of a town begins without Debian's packages; the others need not install them again.
          env: { LAB_PREPARED: "1" },
          // Each file has towns and a stack of its own.
          maxWorkers: 2,
        },
      },
      {
        test: {
          // Under a prober of many requests a second, with nothing else beside it.
          name: "lab-alone",
          include: ["test/lab/seamless.test.ts"],
          env: { LAB_PREPARED: "1" },
          testTimeout: 1_200_000,
          hookTimeout: 1_800_000,
          maxWorkers: 1,
        },
      },
    ],
  },
});
