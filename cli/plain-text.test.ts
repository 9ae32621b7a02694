/** What a container writes cannot move an operator's cursor. Not proven: every terminal's own inventions. */
import { expect, test } from "vitest";
import { plainLine } from "./plain-text.ts";

const esc = "\u001b";

test.each([
  ["plain", "ligne é 🎉\tfin", "ligne é 🎉\tfin"],
  ["a cleared line", `${esc}[2Kapi | hello`, "api | hello"],
  ["a colour", `${esc}[31mred${esc}[0m`, "red"],
  ["a moved cursor", `a${esc}[10;20Hb`, "ab"],
  ["a window's title", `a${esc}]0;title\u0007b`, "ab"],
  ["a carriage return and a backspace", "secret\r\b\bhello", "secrethello"],
])("%s", (_, line, expected) => {
  expect(plainLine(line)).toBe(expected);
});

test.each([
  `a${esc}[`,
  `a${esc}]0;title`,
  `a${esc}Pq#0${esc}\\b`,
  `a${esc}cb`,
  "a\u009b2Kb",
  `a${esc}`,
])("of %j no byte is left that a terminal obeys", (line) => {
  expect(plainLine(line)).not.toMatch(/\p{Cc}/u);
});
