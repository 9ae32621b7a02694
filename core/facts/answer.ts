/** @module JSON that a server's command answers: of the form expected, or a failure that says what came instead. */
import type { z } from "zod";
import { lastLine } from "../commands/ssh.ts";
import { parse } from "../config/parse.ts";
import { FleetError } from "../errors.ts";

/** `command`: who answered, for the message. @throws FleetError `ANSWER_UNREADABLE` */
export function readAnswer<T>(schema: z.ZodType<T>, command: string, text: string): T {
  const parsed = parse(schema, json(command, text));
  if (parsed.ok) return parsed.value;
  throw unreadable(command, parsed.problems);
}

function json(command: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadable(command, `expected JSON, got ${JSON.stringify(lastLine(text).slice(0, 200))}`);
  }
}

function unreadable(command: string, cause: string): FleetError {
  return new FleetError("ANSWER_UNREADABLE", { command, cause });
}
