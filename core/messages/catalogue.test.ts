/** Sentences in both languages. Not proven: that they are good French or English. */
import { expect, test } from "vitest";
import { describe, FleetError } from "../errors.ts";
import { catalogue, languageIn, languageVariable } from "./catalogue.ts";

const wrong = (expected: string) =>
  new FleetError("OPTION_INVALID", { option: "--lines", got: '"phrase.waves"', expected, least: 1, most: 9 });

test("what is expected is said in the reader's language", () => {
  const tells = (language: "fr" | "en") => describe(wrong("phrase.wholeNumber"), language);
  expect(tells("fr")).toContain('reçu "phrase.waves", attendu un nombre entier de 1 à 9 (');
  expect(tells("en")).toContain('got "phrase.waves", expected a whole number from 1 to 9 (');
});

test("an operation's state is said in the reader's language", () => {
  const ended = new FleetError("OPERATION_ENDED", { id: "1", state: "operation.state.failed" });
  expect(describe(ended, "fr")).toContain("n'est pas en cours, elle est en échec");
  expect(describe(ended, "en")).toContain("it is failed");
});

test("the language that a command was given counts before the machine's", () => {
  expect(languageIn({ [languageVariable]: "fr", LC_ALL: "en_GB.UTF-8" })).toBe("fr");
  expect(languageIn({ [languageVariable]: "en", LANG: "fr_FR.UTF-8" })).toBe("en");
  expect(languageIn({ LANG: "fr_FR.UTF-8" })).toBe("fr");
});

test("what begins like a phrase and is none stays as it is", () => {
  expect(describe(wrong("phrase.toString"), "fr")).toContain("attendu phrase.toString (");
});

test("every phrase has its own words in each language", () => {
  const keys = Object.keys(catalogue.en.texts).filter((key) => key.startsWith("phrase."));
  expect(keys.length).toBeGreaterThan(10);
  expect(keys.filter((key) => catalogue.fr.texts[key] === catalogue.en.texts[key])).toEqual([]);
});
