/** The table of faults names tests that exist. Not proven here: what they prove. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const project = resolve(import.meta.dirname, "../..");
const [faults = "", findings = ""] = (await readFile(join(project, "docs/faults.md"), "utf8")).split("\n## ");
const table = faults
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .slice(1)
  .map((line) =>
    line
      .split(" |")
      .map((cell) => cell.replace(/^\|? */, "").trim())
      .slice(0, 3),
  );

/** Faults that must be met on real servers too. */
const inLab = [
  "host key wrong",
  "pull cut: the line",
  "no space, at the activation",
  "port 80 closed",
].concat("container crashes at start", "engine killed at an update, by hand");

test("the table has every fault once", () => {
  const names = table.map(([fault]) => fault);
  expect(names.length).toBeGreaterThan(40);
  expect(new Set(names).size).toBe(names.length);
  expect(table.filter(([fault = "", , lab]) => inLab.includes(fault) && lab).map(([fault]) => fault)).toEqual(
    expect.arrayContaining(inLab),
  );
});

describe.each(table)("%s", (_, peer, lab) => {
  test.each([peer, lab].filter(Boolean))("%s", async (reference = "") => {
    const [, file = "", title = ""] = /^`([a-z/-]+\.test\.ts)`: (.+)$/.exec(reference) ?? [];
    // Prettier texts in Markdown, strings in code.
    const text = (await readFile(join(project, file), "utf8")).replaceAll("\\`", "`");
    expect(text).toContain(title);
  });
});

/** Where a test that is named without its folder may be. */
const places = [
  "",
  "assets/server/",
  "assets/server/tests/",
  "assets/server/harness/",
  "verbs/",
  "steps/",
  "wiring/",
  "core/release/",
  "core/render/",
  "core/registry/",
  "outside/",
];

test("every file of tests that a finding names is there", () => {
  const named = new Set(findings.match(/[\w/-]+\.test\.ts|\btests\/test_\w+\.py|\btest_\w+\.py/g));
  expect(named.size).toBeGreaterThan(30);
  expect(
    [...named].filter((file) => !places.some((place) => existsSync(join(project, place, file)))),
  ).toEqual([]);
});
