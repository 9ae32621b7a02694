/**
 * How values are written so that Compose reads them back. The right-hand side was read by Docker Compose 2.26
 * (`docker compose --env-file … config`). Not proven: other versions of Compose.
 */
import { expect, test } from "vitest";
import { renderEnvironment } from "./environment.ts";

const line = (value: string) => renderEnvironment({ A: value }, {}).split("\n")[1];

test.each([
  ["", "A="],
  ["production", "A=production"],
  ["https://ville.fr", "A=https://ville.fr"],
  ["admin+x@ville.fr", "A=admin+x@ville.fr"],
  ["a b", "A='a b'"],
  ["a#b", "A='a#b'"],
  ["$HOME", "A='$HOME'"],
  ["${HOME:-x}", "A='${HOME:-x}'"],
  ["l'été", "A='l\\'été'"],
  [`'`, "A='\\''"],
  [`"quoted"`, `A='"quoted"'`],
  ["`id`; $(id)", "A='`id`; $(id)'"],
  ["-x", "A=-x"],
  ["x".repeat(10_000), `A=${"x".repeat(10_000)}`],
])("%j", (value, expected) => {
  expect(line(value)).toBe(expected);
});

test.each(["a\nb", "a\rb", "a\0b", "a\\b", "a\\"])("fails on %j, and does not show it", (value) => {
  const render = () => renderEnvironment({ A: value }, {});
  expect(render).toThrow("the value of A has a line break or a backslash");
});

test("a generated secret wins over a plain value of its name, and only its name is in the first line", () => {
  expect(renderEnvironment({ B: "plain", A: "1" }, { B: "ab12", C: "cd34" })).toBe(
    '{"secrets":["B","C"]}\nA=1\nB=ab12\nC=cd34\n',
  );
});
