/**
 * Compose files are read as Compose 2.26.1 reads them, or refused. `compose` below is what `docker compose config` of that
 * version said of an environment variable with the bare word; `refused` where it read another value than YAML 1.2's core.
 */
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseCompose, writeCompose } from "./yaml.ts";

const read = (text: string) => parseCompose(text, "deploy/docker-compose.yml");

describe("a bare word", () => {
  test.each<[string, string | null]>([
    ["yes", "yes"],
    ["no", "no"],
    ["on", "on"],
    ["Off", "Off"],
    ["y", "y"],
    ["true", "true"],
    ["TRUE", "true"],
    ["tRue", "tRue"],
    ["null", null],
    ["~", null],
    ["", null],
    ["NULL", null],
    ["nULL", "nULL"],
    ["22:22", "22:22"],
    ["80:80", "80:80"],
    ["190:20:30.15", "190:20:30.15"],
    ["1.10", "1.1"],
    ["1.0", "1"],
    ["-5", "-5"],
    ["_1", "_1"],
    ["0b", "0b"],
    ["0x", "0x"],
    ["1e", "1e"],
    ["--", "--"],
    ["=", "="],
    ["8000", "8000"],
    ["'0755'", "0755"],
    ['"2026-11-26"', "2026-11-26"],
    ["'1_000'", "1_000"],
    ["512m", "512m"],
    ["1.2.3.4", "1.2.3.4"],
    ["3.9-alpine", "3.9-alpine"],
  ])("%s is what Compose reads", (word, compose) => {
    const { V } = read(`V: ${word}`) as { V: unknown };
    expect(V === null ? null : String(V)).toBe(compose);
  });

  test.each([
    ["0755", "493"],
    ["0o755", "493"],
    ["0x1F", "31"],
    ["0b101", "5"],
    ["1_000", "1000"],
    ["1e3", "1000"],
    [".5", "0.5"],
    ["5.", "5"],
    ["+5", "5"],
    ["00", "0"],
    ["08", "8"],
    ["0_7", "7"],
    ["0x_1", "1"],
    ["1_", "1"],
    ["-0b1", "-1"],
    ["0O7", "7"],
    ["0B1", "1"],
    ["+0x1", "1"],
    ["1_0.5", "10.5"],
    ["0777.5", "777.5"],
    ["9007199254740993", "9007199254740993"],
    ["12345678901234567890", "12345678901234567890"],
    ["1e400", "1e400"],
    ["2026-11-26", "2026-11-26 00:00:00 +0000 UTC"],
    ["2026-1-2", "2026-01-02 00:00:00 +0000 UTC"],
    ["2026-11-26 10:00:00", "2026-11-26 10:00:00 +0000 UTC"],
    [".inf", "an error"],
    ["-.inf", "an error"],
    [".NaN", "an error"],
  ])("%s, which Compose takes for %s, is refused with its line", (word) => {
    expect(() => read(`a: b\nV: ${word}`)).toThrow(
      `deploy/docker-compose.yml, line 2: ${word} without quotes is no plain text and no plain number`,
    );
  });
});

describe("keys and documents", () => {
  test.each<[string, string, unknown]>([
    ["a merge, which own values win over", "c: &c {u: 1, v: 1}\na: {u: 2, <<: *c}", { u: 2, v: 1 }],
    [
      "merges, the first of which wins",
      "c: &c {u: 1}\nd: &d {u: 2, h: 2}\na: {<<: [*c, *d]}",
      { u: 1, h: 2 },
    ],
    ["an alias", "c: &c [1]\na: *c", [1]],
    ["a quoted merge key, an ordinary one", 'c: &c {u: 1}\na: {"<<": *c}', { "<<": { u: 1 } }],
  ])("%s", (_, text, a) => {
    expect(read(text)).toMatchObject({ a });
  });

  test.each([
    ["a key twice", "a: 1\na: 2", "Map keys must be unique"],
    ["two merges", "c: &c {u: 1}\na:\n  <<: *c\n  <<: *c", "line 3 has a mapping with several `<<`"],
    ["several documents", "a: 1\n---\nb: 1", "several documents"],
    ["a directive", "%YAML 1.1\n---\na: yes", "%YAML directive"],
    ["Compose's own tags", "a: 1\nb: !reset null", "Unresolved tag: !reset"],
    ["a tag", "a: 1\nb: !!str 5", "line 2 has the tag tag:yaml.org,2002:str"],
    ["a mapping's tag", "a: !!map {b: 1}", "line 1 has the tag tag:yaml.org,2002:map"],
    ["a key that is a number", "a: {1: x}", "line 1 has the key 1, which is no text"],
    ["a key that is a truth", "a: {true: x}", "line 1 has the key true"],
    ["text that is no YAML", "a: [b", "must be sufficiently indented"],
    ["nothing", "", "it is empty"],
    ["aliases that grow without end", bomb(), "Excessive alias count"],
  ])("%s is refused", (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

test("what is written is text for every reader", () => {
  const value = {
    a: ["0755", "1_000", "2026-11-26", "yes", "22:22", "null", 'é "\\\n'],
    b: 5,
    c: true,
    d: null,
  };
  const text = writeCompose(value);
  expect(parse(text)).toEqual(value);
  expect(parse(text, { version: "1.1" })).toEqual(value);
});

function bomb(): string {
  const rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let row = 1; row < 9; row += 1)
    rows.push(`a${row}: &a${row} [${Array.from({ length: 10 }, () => `*a${row - 1}`).join(", ")}]`);
  return rows.join("\n");
}
