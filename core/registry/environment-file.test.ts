/**
 * How environment files are read, against a table that compose-go 2.0.2 and 2.16.2 both gave.
 * assets/server/tests/test_environment_file.py reads the same table, and asks Compose itself where there is one.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { EnvironmentUnreadable, readEnvironmentFile } from "./environment-file.ts";

const table = resolve(import.meta.dirname, "../../assets/server/tests/environment-cases.json");
const cases = JSON.parse(readFileSync(table, "utf8")) as {
  readonly text: string;
  readonly values: Record<string, string> | null;
}[];

test.each(cases)("$text", ({ text, values }) => {
  if (values === null) expect(() => readEnvironmentFile(text)).toThrow(EnvironmentUnreadable);
  else expect(Object.fromEntries(readEnvironmentFile(text))).toEqual(values);
});

test("a problem tells its line and no value", () => {
  expect(() => readEnvironmentFile("A=1\n# x\nB='secret\nmore\n")).toThrow(
    "line 3: a quoted value has no end",
  );
});
