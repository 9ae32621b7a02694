/** Proves the text an operator's shell evaluates. */
import { expect, test } from "vitest";
import { exportLines, prependPath } from "./environment.ts";

test("quotes every value for a POSIX shell", () =>
  expect(exportLines({ A: "x y", B: "l'eau $(id)" })).toBe("export A='x y'\nexport B='l'\\''eau $(id)'\n"));

test.each([
  ["/usr/bin:/bin", "/lab:/usr/bin:/bin"],
  ["/usr/bin:/lab:/bin", "/lab:/usr/bin:/bin"],
  ["", "/lab"],
])("puts a folder first on the path '%s', once", (path, expected) =>
  expect(prependPath("/lab", path)).toBe(expected));
