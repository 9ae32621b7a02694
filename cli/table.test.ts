/** Tables fit the terminal and lose nothing. Not proven: characters that take two columns. */
import { expect, test } from "vitest";
import { table } from "./table.ts";

const head = ["Outil", "Version", "Remède"];
const rows = [
  ["docker", "26.1.5+dfsg1 / engine 26.1.5+dfsg1 and a good deal more that nobody reads", ""],
  ["plugin ovh", "2.19.1", "npm run setup, then read what it prints about the plugin that is missing"],
];
const letters = (text: string) => text.replaceAll(/[^\p{L}\d.]/gu, "");
const widest = (text: string) => Math.max(...text.split("\n").map((line) => [...line].length));

test.each([60, 80, 100, 120])("fits %i columns, every word is there", (width) => {
  const drawn = table(head, rows, width);
  expect(widest(drawn)).toBeLessThanOrEqual(width);
  const expected = [...letters([...head, ...rows.flat()].join(""))].sort().join("");
  expect([...letters(drawn)].sort().join("")).toBe(expected);
});

test("is as wide as it is where nothing is a terminal", () => {
  expect(widest(table(head, rows, undefined))).toBeGreaterThan(140);
});
