/** @module A file of the time before the store that cannot be understood. */
import type { z } from "zod";

/** Why a file's content is not taken over. */
export class Unreadable extends Error {}

/** @throws Unreadable */
export function understood<T>(schema: z.ZodType<T>, text: string, where: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Unreadable(`${where}: ${(error as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Unreadable(`${where}: ${parsed.error.message.slice(0, 200)}`);
}
