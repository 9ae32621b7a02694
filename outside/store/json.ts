/** @module JSON in columns of text. */
import type { z } from "zod";
import { parse } from "../../core/config/parse.ts";
import { FleetError } from "../../core/errors.ts";

/** `row`: for the message. @throws FleetError `STORE_ROW` */
export function readJson<T>(schema: z.ZodType<T>, text: string, place: string, row: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FleetError("STORE_ROW", { place, row, cause: (error as Error).message });
  }
  const parsed = parse(schema, value);
  if (parsed.ok) return parsed.value;
  throw new FleetError("STORE_ROW", { place, row, cause: parsed.problems });
}
