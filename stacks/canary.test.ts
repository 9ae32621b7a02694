/**
 * Canaries go first: nothing touches another town before each canary's activation is there.
 * Not proven by mocks: that a canary that fails stops the others (see test/lab).
 */
import { beforeAll, expect, test } from "vitest";
import { type FleetConfig, parseStackConfig } from "../core/config/stack.ts";
import type { Release } from "../core/release/release.ts";
import { type Declared, known, recordResources } from "../test/helpers/pulumi-mocks.ts";
import type { FleetOutputs } from "./fleet.ts";

const release = (id: string) =>
  ({
    id,
    scripts: "cccccccccccc",
    services: { api: { image: "geoclic/api:aaaaaaaaaaaa" } },
    adapter: { env: { generated: {}, fixed: {}, derived: {} } },
  }) as unknown as Release;
const town = (number: number, change: Record<string, unknown> = {}) => ({
  name: `ville-${number}`,
  domain: `ville-${number}.fr`,
  email: "a@ville.fr",
  town: "Ville",
  ip: `10.0.0.${number}`,
  ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
  ...change,
});
const config = parseStackConfig({
  role: "fleet",
  suite: { path: "/x" },
  release: "aaaaaaaaaaaa",
  clients: [town(1), town(2, { canary: true, release: "bbbbbbbbbbbb" }), town(3, { canary: true }), town(4)],
}) as FleetConfig;
const releases = new Map([
  ["aaaaaaaaaaaa", release("aaaaaaaaaaaa")],
  ["bbbbbbbbbbbb", release("bbbbbbbbbbbb")],
]);

const events: string[] = [];
let declared: Declared[];
let outputs: FleetOutputs;

const isTouching = ({ type }: Declared) => type.startsWith("command:");
const turns = async () => {
  for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
};

beforeAll(async () => {
  const recorded = await recordResources(async (resource) => {
    if (isTouching(resource)) events.push(`begin ${resource.name}`);
    // Whoever does not wait for it gets ahead meanwhile.
    if (/^ville-[23]-activation$/.test(resource.name)) await turns();
    if (isTouching(resource)) events.push(`end ${resource.name}`);
  });
  const { fleetStack } = await import("./fleet.ts");
  outputs = fleetStack(config, releases);
  await recorded.settle();
  declared = recorded.declared;
});

test("no other town is touched before both canaries run their release", () => {
  const first = events.findIndex((event) => /^begin ville-[14]-/.test(event));
  expect(first).toBeGreaterThan(-1);
  expect(first).toBeGreaterThan(events.indexOf("end ville-2-activation"));
  expect(first).toBeGreaterThan(events.indexOf("end ville-3-activation"));
  expect(events[first]).toMatch(/-server$/);
});

test("canaries do not wait for each other, nor others for others", () => {
  expect(events.indexOf("begin ville-3-server")).toBeLessThan(events.indexOf("end ville-2-activation"));
  expect(events.indexOf("begin ville-4-server")).toBeLessThan(events.indexOf("end ville-1-activation"));
});

test("each town runs its own pin, else the stack's", () => {
  const of = (name: string) => declared.find((each) => each.name === `${name}-delivery`)?.inputs.environment;
  expect(of("ville-1")).toMatchObject({ GEOCLIC_STEP_RELEASE: "aaaaaaaaaaaa" });
  expect(of("ville-2")).toMatchObject({ GEOCLIC_STEP_RELEASE: "bbbbbbbbbbbb" });
});

test("the outputs tell every town, canaries first, and the passwords as one secret", async () => {
  expect(outputs.clients).toEqual(
    [2, 3, 1, 4].map((number) => ({
      name: `ville-${number}`,
      domain: `ville-${number}.fr`,
      ip: `10.0.0.${number}`,
      reach: `10.0.0.${number}`,
      release: number === 2 ? "bbbbbbbbbbbb" : "aaaaaaaaaaaa",
      url: `https://ville-${number}.fr`,
      ssh: { user: "ubuntu", port: 22, hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    })),
  );
  expect(await known(outputs.fleetKey)).toEqual({ value: "ssh-ed25519 KEY", secret: false });
  expect(await known(outputs.adminPasswords)).toEqual({
    value: Object.fromEntries([1, 2, 3, 4].map((n) => [`ville-${n}`, `hex-of-ville-${n}-admin-password`])),
    secret: true,
  });
});

test("fails on a release that was not read", async () => {
  const { fleetStack } = await import("./fleet.ts");
  expect(() => fleetStack(config, new Map())).toThrow("release bbbbbbbbbbbb of ville-2 was not read");
});
