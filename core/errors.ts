/** @module The failures of the tool: a code, its values, and one sentence each for what happened and what to do. */
import { type ErrorCode, errorMessages, type Language, type Values } from "./messages/catalogue.ts";

export type { ErrorCode } from "./messages/catalogue.ts";

/** Where in the fleet something failed. */
export interface ErrorPlace {
  /** Client's name; absent when the failure is not one client's. */
  readonly client?: string;
  /** Step of the work, e.g. `certificate`. */
  readonly step?: string;
}

/**
 * A failure that the tool understands. Its `message` is English; `describe` gives any language.
 * Anything else that is thrown is a defect of the tool.
 */
export class FleetError extends Error {
  readonly code: ErrorCode;
  /** Values named in the message. Never a secret: they are printed and logged. */
  readonly values: Values;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, values: Values = {}, place: ErrorPlace = {}) {
    super(sentence(code, values, place, "en"));
    this.name = "FleetError";
    this.code = code;
    this.values = values;
    this.place = place;
  }

  /** The same failure with a place that was not known where it was thrown. */
  at(place: ErrorPlace): FleetError {
    return new FleetError(this.code, this.values, { ...place, ...this.place });
  }
}

/** One line: who, which step, what happened, what to do next. */
export function describe(error: FleetError, language: Language): string {
  return sentence(error.code, error.values, error.place, language);
}

/** Code of a failure that `describe` told in any language; undefined where a line tells none. */
export function readDescribed(line: string): string | undefined {
  return /\(([A-Z][A-Z0-9_]+)\)\. (?:Next:|À faire :)/.exec(line)?.[1];
}

function sentence(code: ErrorCode, values: Values, place: ErrorPlace, language: Language): string {
  const { what, next } = errorMessages(code, language, values);
  const where = [place.client, place.step].filter(Boolean).join(" · ");
  const label = language === "fr" ? "À faire :" : "Next:";
  const text = `${what} (${code}). ${label} ${next}`;
  return where ? `${where}: ${text}` : text;
}
