/** Which towns the demo has. Not proven: that they come online (see the demo itself). */
import { expect, test } from "vitest";
import { demoTowns } from "./demo-towns.ts";

test("the three ways to a server come first, then towns that are adopted", () => {
  const ways = (count: number) => demoTowns(count).map(({ way }) => way);
  expect(ways(1)).toEqual(["adopted"]);
  expect(ways(3)).toEqual(["adopted", "owned", "ordered"]);
  expect(ways(5)).toEqual(["adopted", "owned", "ordered", "adopted", "adopted"]);
});

test("every town has a name of its own that the stack file takes", () => {
  const names = demoTowns(50).map(({ name }) => name);
  expect(new Set(names).size).toBe(50);
  for (const name of names) expect(name).toMatch(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/);
});
