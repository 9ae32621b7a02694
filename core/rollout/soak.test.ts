/** When a watched town is ill: by looks in a row, and by their share. */
import { expect, test } from "vitest";
import { isIll, noLooks, wasIll, withLook } from "./soak.ts";

/** `x` is a bad look. */
const looked = (looks: string) =>
  [...looks].reduce((all, look) => withLook(all, look === "x" ? "HTTP 502" : undefined), noLooks);

test.each<[string, boolean, boolean]>([
  ["....", false, false],
  ["x...", false, false],
  ["...x", false, false],
  ["xx..", false, true],
  ["x.x.", false, true],
  ["xxx.", false, true],
  [".xxx", true, true],
  ["xxx", true, true],
  ["x.", false, false],
  ["xx......", false, false],
  ["x..x..x..x..", false, true],
  ["................x", false, false],
])("%s", (looks, now, atEnd) => {
  expect(isIll(looked(looks))).toBe(now);
  expect(wasIll(looked(looks))).toBe(atEnd);
});

test("tells the last problem that was found", () => {
  expect(looked("x..")).toEqual({ total: 3, bad: 1, streak: 0, problem: "HTTP 502" });
});
