/** What the benchmarks compute. What they measure is no test's matter. */
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { parseStackConfig } from "../core/config/stack.ts";
import { benchClients, benchFleet } from "./clients.ts";
import { measure, readTimes } from "./measure.ts";
import { median, resultTable } from "./results.ts";

test("the shell's times are read: user and system time of the children", () => {
  expect(readTimes("0m0.01s 0m0.02s\n1m2.50s 0m0.25s\n")).toBeCloseTo(62.75);
  expect(readTimes("")).toBe(0);
});

test("a command is measured with its output and its status", async () => {
  const run = await measure(["sh", "-c", "echo out; echo err >&2; sleep 0.5; exit 3"], { cwd: tmpdir() });
  expect(run).toMatchObject({ status: 3, output: "out\nerr\n" });
  expect(run.seconds).toBeGreaterThan(0.4);
  expect(run.peakMiB).toBeGreaterThan(0);
});

test.each([
  [[3], 3],
  [[3, 1], 1],
  [[5, 1, 3], 3],
])("the median of %j is %d", (seconds, expected) => {
  const costs = seconds.map((each) => ({ seconds: each, cpuSeconds: each, peakMiB: each }));
  expect(median(costs)).toEqual({ seconds: expected, cpuSeconds: expected, peakMiB: expected });
});

test("a fleet of 500 is one that a stack takes: names, domains and addresses are distinct", () => {
  const hostKey = `ssh-ed25519 ${"A".repeat(68)}`;
  const fleet = benchFleet(benchClients(500), { suite: "/s", user: "root", hostKey });
  expect(parseStackConfig(fleet)).toMatchObject({ clients: { length: 500 } });
  expect(new Set(benchClients(500).map(({ reach }) => reach)).size).toBe(500);
});

test("ratios are to the smallest fleet", () => {
  const verbs = (seconds: number) => ({
    up: { seconds, cpuSeconds: 1, peakMiB: 1, connections: Number.NaN },
  });
  const fleet = { resources: 1, stateBytes: 1024, first: undefined };
  const table = resultTable([
    { ...fleet, clients: 1, verbs: verbs(2) },
    { ...fleet, clients: 10, verbs: verbs(5) },
  ]);
  expect(table).toMatch(/1 +│ up +│ 2\.00 +│ × 1\.0/);
  expect(table).toMatch(/10 +│ up +│ 5\.00 +│ × 2\.5/);
  expect(table).not.toContain("NaN");
});
