/** Questions, by what is typed. Not proven: a real terminal's line editing. */
import { PassThrough } from "node:stream";
import { describe, expect, test } from "vitest";
import { ask, confirm, hidden, typed } from "./ask.ts";
import { terminal } from "./console.ts";

const console = terminal("fr");
const answers = (line: string | undefined, isTTY = true) => {
  const input = Object.assign(new PassThrough(), { isTTY });
  if (line === undefined) input.end();
  else input.write(`${line}\n`);
  return { input, output: new PassThrough() };
};

test.each([
  ["o", true],
  ["oui", true],
  ["Y", true],
  ["yes", true],
  [" o ", true],
  ["n", false],
  ["", false],
  ["ouiouioui", false],
  ["yes please", false],
])("the answer %j is %s", async (line, expected) => {
  expect(await confirm(console, "Vraiment ?", answers(line))).toBe(expected);
});

test.each([
  ["ville-lyon", true],
  ["ville-Lyon", false],
  ["oui", false],
  ["", false],
])("typed %j counts: %s", async (line, expected) => {
  expect(await typed(console, "Retirer ?", "ville-lyon", answers(line))).toBe(expected);
});

describe("nothing is assumed", () => {
  test.each([
    ["without a terminal", answers("oui", false)],
    ["at the end of the input", answers(undefined)],
  ])("%s", async (_, asked) => {
    await expect(ask("Vraiment ?", asked)).rejects.toMatchObject({ code: "QUESTION_UNANSWERED" });
  });
});

test("a secret is read as it was typed, and never shown", async () => {
  const asked = answers(" mot de passe ");
  expect(await hidden("Mot de passe :", asked)).toBe(" mot de passe ");
  expect(String(asked.output.read())).not.toContain("mot de passe");
  await expect(hidden("Mot de passe :", answers("x", false))).rejects.toMatchObject({
    code: "QUESTION_UNANSWERED",
  });
});
