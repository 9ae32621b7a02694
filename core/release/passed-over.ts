/** @module What lies beside a release's migrations and will not be run, as a sentence. */
import { type Language, text } from "../messages/catalogue.ts";
import type { Release } from "./release.ts";

/** `undefined` where nothing is passed over. */
export function passedOver({ sql, adapter }: Release, language: Language): string | undefined {
  const files = sql?.passedOver ?? [];
  if (files.length === 0) return undefined;
  return text("sql.passedOver", language, { folder: adapter.database.migrations, files: files.join(", ") });
}
