/** When things begin, on a clock of the test's own. Not proven: what a real machine makes of so many at once (bench/). */
import { expect, test } from "vitest";
import { pace } from "./pace.ts";

test("a burst comes at once, the rest evenly, and a rest gives the burst back", async () => {
  let now = 1000;
  const waits: number[] = [];
  const turn = pace(
    { perSecond: 10, burst: 3 },
    { now: () => now, sleep: async (milliseconds) => void waits.push(milliseconds) },
  );
  await Promise.all(Array.from({ length: 6 }, turn));
  expect(waits).toEqual([100, 200, 300]);
  now += 10_000;
  await Promise.all(Array.from({ length: 4 }, turn));
  expect(waits).toEqual([100, 200, 300, 100]);
});
