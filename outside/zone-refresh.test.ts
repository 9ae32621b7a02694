/** One publication for everybody who waits. Not proven: several machines at once, which publish once each. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { refreshZone } from "./zone-refresh.ts";

let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "geoclic-zone-"));
});
afterEach(() => rm(state, { recursive: true }));

const counter = () => {
  const counted = { runs: 0, refresh: async () => void counted.runs++ };
  return counted;
};

test("ten that wait at once publish once, in each zone", async () => {
  const [first, second] = [counter(), counter()];
  const since = Date.now() - 1;
  const work = Array.from({ length: 10 }, (_, i) =>
    refreshZone(state, i % 2 ? "a.fr" : "b.fr", since, i % 2 ? first.refresh : second.refresh),
  );
  expect((await Promise.all(work)).filter(Boolean)).toHaveLength(2);
  expect([first.runs, second.runs]).toEqual([1, 1]);
});

test("what was made after a publication began needs another one", async () => {
  const counted = counter();
  await refreshZone(state, "a.fr", Date.now() - 1, counted.refresh);
  await refreshZone(state, "a.fr", Date.now() + 1000, counted.refresh);
  expect(counted.runs).toBe(2);
});

test("one that failed does not count", async () => {
  const since = Date.now() - 1;
  await expect(
    refreshZone(state, "a.fr", since, async () => Promise.reject(new Error("HTTP 500"))),
  ).rejects.toThrow("500");
  const counted = counter();
  expect(await refreshZone(state, "a.fr", since, counted.refresh)).toBe(true);
});

test("what is remembered and cannot be read does not count", async () => {
  const counted = counter();
  await refreshZone(state, "a.fr", 1, counted.refresh);
  await writeFile(join(state, "dns", "a.fr.json"), "{");
  expect(await refreshZone(state, "a.fr", 1, counted.refresh)).toBe(true);
});
