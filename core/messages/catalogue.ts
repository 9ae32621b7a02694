/** @module Message catalogues: French first, English second, same keys in both (the compiler checks it). */
import i18next from "i18next";
import { en } from "./en.ts";
import { fr } from "./fr.ts";

export type Language = "fr" | "en";
export type ErrorCode = keyof typeof en.errors;
export type TextKey = keyof typeof en.texts;

/** Values that fill the `{{places}}` of a message. */
export type Values = Readonly<Record<string, string | number>>;

const messages = i18next.createInstance();
void messages.init({
  initAsync: false,
  lng: "en",
  keySeparator: ".",
  nsSeparator: false,
  resources: { fr: { texts: fr.texts, errors: fr.errors }, en: { texts: en.texts, errors: en.errors } },
  ignoreJSONStructure: true,
  interpolation: { escapeValue: false, skipOnVariables: true },
});

/** What happened and what to do next, for one code. */
export function errorMessages(
  code: ErrorCode,
  language: Language,
  values: Values,
): { what: string; next: string } {
  const t = messages.getFixedT(language, "errors");
  return { what: t(`${code}.what`, values), next: t(`${code}.next`, values) };
}

/** A text of the CLI in one language. */
export function text(key: TextKey, language: Language, values: Values = {}): string {
  return messages.getFixedT(language, "texts")(key, values);
}

/** French where the locale is French, English otherwise. `locale`: e.g. `fr_FR.UTF-8`. */
export function languageOf(locale: string | undefined): Language {
  return /^fr(_|-|\.|$)/i.test(locale ?? "") ? "fr" : "en";
}
