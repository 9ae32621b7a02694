/** Waves and thresholds by tables. Not proven: that a wave waits for the one before it (see verbs/update/update.test.ts). */
import { describe, expect, test } from "vitest";
import { allowedFailures, parseShare, parseWaves, planWaves } from "./waves.ts";

const towns = (count: number, canaries = 0) =>
  Array.from({ length: count }, (_, index) => ({ name: `t${index}`, canary: index < canaries }));

describe("waves", () => {
  test.each([
    ["nobody", 0, 0, "2 25% 100%", []],
    ["one town", 1, 0, "2 25% 100%", [1]],
    ["a canary alone", 1, 1, "2 25% 100%", [1]],
    ["a canary first", 5, 1, "2 25% 100%", [1, 2, 1, 1]],
    ["groups that grow", 43, 1, "2 25% 100%", [1, 2, 11, 29]],
    ["the last size again and again", 10, 0, "1 3", [1, 3, 3, 3]],
    ["commas too", 4, 2, "1,100%", [2, 1, 1]],
    ["a share of few is at least one", 3, 0, "1%", [1, 1, 1]],
    ["all at once", 300, 0, "100%", [300]],
  ])("%s", (_, count, canaries, sizes, expected) => {
    const waves = planWaves(towns(count, canaries), parseWaves(sizes));
    expect(waves.map((wave) => wave.length)).toEqual(expected);
    expect(waves.flat().sort()).toEqual(
      towns(count)
        .map(({ name }) => name)
        .sort(),
    );
  });

  test.each([
    "",
    " ",
    "0",
    "0%",
    "101%",
    "-1",
    "1.5",
    "x",
    "1;2",
    "$(id)",
    "1 ".repeat(30),
  ])("%j is refused", (text) => expect(() => parseWaves(text)).toThrow("OPTION_INVALID"));
});

describe("failures that are borne", () => {
  test.each([
    ["0", 5, 0],
    ["2", 5, 2],
    ["20%", 5, 1],
    ["20%", 4, 0],
    ["100%", 7, 7],
  ])("%s of %i", (text, clients, expected) => {
    expect(allowedFailures(parseShare("--max-failures", text), clients)).toBe(expected);
  });

  test.each(["", "%", "-1", "1e3", "200%", "20 %", "12345", "1\n2"])("%j is refused", (text) =>
    expect(() => parseShare("--max-failures", text)).toThrow("OPTION_INVALID"));
});
