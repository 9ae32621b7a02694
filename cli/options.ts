/** @module Options as they are typed, read strictly. */
import { FleetError } from "../core/errors.ts";

/** @throws FleetError `OPTION_INVALID` */
export function integer(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new FleetError("OPTION_INVALID", {
    option,
    got: JSON.stringify(text.slice(0, 60)),
    expected: "phrase.wholeNumber",
    least,
    most,
  });
}

/** An option that may be given several times. */
export function collect(value: string, former: readonly string[] = []): string[] {
  return [...former, value];
}

/** The words without `--lang fr`, which may stand before any command. */
export function withoutLanguage(words: readonly string[]): string[] {
  return words.filter((word, at) => !word.startsWith("--lang") && words[at - 1] !== "--lang");
}
