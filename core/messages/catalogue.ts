/** @module Message catalogues: French first, English second, same keys in both (the compiler checks it). */
import i18next from "i18next";
import { cli } from "./areas/cli.ts";
import { keys } from "./areas/keys.ts";
import { operations } from "./areas/operations.ts";
import { ovh } from "./areas/ovh.ts";
import { registry } from "./areas/registry.ts";
import { servers } from "./areas/servers.ts";
import { sql } from "./areas/sql.ts";
import { store } from "./areas/store.ts";
import { en } from "./en.ts";
import { fr } from "./fr.ts";
import { isToldByServer, type ServerCode, serverSentence } from "./server.ts";

export type Language = "fr" | "en";
type All = typeof en &
  typeof cli.en &
  typeof keys.en &
  typeof operations.en &
  typeof ovh.en &
  typeof registry.en &
  typeof servers.en &
  typeof sql.en &
  typeof store.en;
/** Of the tool itself, or of what a server tells; some are both. */
export type ErrorCode = keyof All["errors"] | ServerCode;
export type TextKey = keyof All["texts"];
export type PhraseKey = Extract<TextKey, `phrase.${string}`>;

/** Values that fill the `{{places}}` of a message. */
export type Values = Readonly<Record<string, string | number>>;

/** Every message, by language. */
export const catalogue = {
  fr: merged(fr, cli.fr, keys.fr, operations.fr, ovh.fr, registry.fr, servers.fr, sql.fr, store.fr),
  en: merged(en, cli.en, keys.en, operations.en, ovh.en, registry.en, servers.en, sql.en, store.en),
};

const messages = i18next.createInstance();
void messages.init({
  initAsync: false,
  lng: "en",
  keySeparator: ".",
  nsSeparator: false,
  resources: catalogue,
  ignoreJSONStructure: true,
  interpolation: { escapeValue: false, skipOnVariables: true },
});

/** What happened and what to do next, for one code. */
export function errorMessages(
  code: ErrorCode,
  language: Language,
  values: Values,
): { what: string; next: string } {
  const isOwn = Object.hasOwn(catalogue.en.errors, code);
  if (isToldByServer(values) || !isOwn) return serverSentence(code, language, values);
  const t = messages.getFixedT(language, "errors");
  const said = withPhrases(values, language);
  return { what: t(`${code}.what`, said), next: t(`${code}.next`, said) };
}

/** A value that is the key of a phrase, or of an operation's state, says it in the reader's language; the error's other values fill its places. */
function withPhrases(values: Values, language: Language): Values {
  const known = catalogue[language].texts;
  const said = (value: string | number) =>
    typeof value === "string" && /^(phrase|operation\.state)\./.test(value) && Object.hasOwn(known, value)
      ? messages.getFixedT(language, "texts")(value, values)
      : value;
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, said(value)]));
}

/** A text of the CLI in one language. */
export function text(key: TextKey, language: Language, values: Values = {}): string {
  return messages.getFixedT(language, "texts")(key, values);
}

/** What the monitor's finding of a code means, if it is known here. */
export function findingText(code: string, language: Language): string | undefined {
  return catalogue[language].texts[`finding.${code}`];
}

/** Variable by which a command tells its steps the language that was chosen. */
export const languageVariable = "GEOCLIC_LANG";

/** Language of a process, by our variable, else by those of POSIX in their order. */
export function languageIn(env: Readonly<Record<string, string | undefined>>): Language {
  return languageOf(env[languageVariable] || env.LC_ALL || env.LC_MESSAGES || env.LANG);
}

/** French where the locale is French, English otherwise. `locale`: e.g. `fr_FR.UTF-8`. */
export function languageOf(locale: string | undefined): Language {
  return /^fr(_|-|\.|$)/i.test(locale ?? "") ? "fr" : "en";
}

function merged(...parts: readonly { readonly errors: object; readonly texts: object }[]) {
  return {
    errors: Object.assign({}, ...parts.map(({ errors }) => errors)) as Record<
      string,
      { readonly what: string; readonly next: string }
    >,
    texts: Object.assign({}, ...parts.map(({ texts }) => texts)) as Record<string, string>,
  };
}
