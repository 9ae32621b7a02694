/** @module Strict parsing at the door: one message that lists every wrong value with its path. */
import type { z } from "zod";

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: string };

/** Checks a value against a schema; never throws. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, root = ""): Parsed<T> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, problems: result.error.issues.map((issue) => problem(issue, root)).join("; ") };
}

function problem(issue: z.core.$ZodIssue, root: string): string {
  const path = pathOf([...(root ? [root] : []), ...issue.path]) || "(root)";
  if (issue.code === "unrecognized_keys") return `${path}: unknown key ${issue.keys.map(show).join(", ")}`;
  // What stands below `secrets` is not shown, whatever is wrong with it.
  const got = "input" in issue && issue.path[0] !== "secrets" ? `, got ${show(issue.input)}` : "";
  const message = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return `${path}: ${message}${got}`;
}

export function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`,
    )
    .join("");
}

/** A value as shown in a message: quoted, control characters escaped, at most 80 characters. */
export function show(value: unknown): string {
  const shown = JSON.stringify(value) ?? String(value);
  return shown.length > 80 ? `${shown.slice(0, 77)}…` : shown;
}
