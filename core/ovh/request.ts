/** @module What OVH wants of a request, and how its answers are read. Source: OVH's API documentation, "First steps". */
import { createHash } from "node:crypto";
import type { Right } from "./port.ts";

export interface Keys {
  readonly applicationKey: string;
  readonly applicationSecret: string;
  readonly consumerKey: string;
}

/** `$1$` and 40 hex characters over everything that is sent. `timestamp`: seconds, by the server's clock. */
export function signature(
  { applicationSecret, consumerKey }: Keys,
  request: {
    readonly method: string;
    readonly url: string;
    readonly body: string;
    readonly timestamp: number;
  },
): string {
  const { method, url, body, timestamp } = request;
  const text = [applicationSecret, consumerKey, method, url, body, timestamp].join("+");
  return `$1$${createHash("sha1").update(text).digest("hex")}`;
}

/** What an answer that is no success says, in one line. */
export function refusal(text: string): string {
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    const name = body.class ?? body.errorCode;
    const message = typeof body.message === "string" ? body.message : text;
    return oneLine(typeof name === "string" ? `${name}: ${message}` : message);
  } catch {
    return oneLine(text) || "no text";
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim().slice(0, 300);
}

/** A time later may help: the server was busy, not unwilling. */
export function mayPass(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** Milliseconds to wait before the next attempt: 1, 2, 4 … 30 s, each between half and the whole. `random`: 0 to 1. */
export function backOff(attempt: number, retryAfter: string | null, random: number): number {
  const asked = Number(retryAfter) * 1000;
  if (Number.isFinite(asked) && asked > 0) return Math.min(asked, 60_000);
  return Math.min(30_000, 1000 * 2 ** (attempt - 1)) * (0.5 + random / 2);
}

/** Those of `needed` that no rule allows. */
export function missingRights(
  needed: readonly Right[],
  rules: readonly { method: string; path: string }[],
): Right[] {
  return needed.filter(
    (right) => !rules.some((rule) => rule.method === right.method && covers(rule.path, right.path)),
  );
}

/** A rule's star covers anything, another star included. */
function covers(rule: string, path: string): boolean {
  const pattern = rule.split("*").map((text) => text.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`).test(path);
}

/** Address at which a person makes credentials with these rights. */
export function tokenUrl(rights: readonly Right[]): string {
  const query = rights.map(({ method, path }) => `${method}=${encodeURIComponent(path)}`).join("&");
  return `https://api.ovh.com/createToken/?${query}`;
}

/**
 * When a request may go: at most `budget` in any minute. `sent`: milliseconds since 1970, oldest first.
 * @returns the time to go, and the list with it
 */
export function pace(
  sent: readonly number[],
  now: number,
  budget: number,
): { readonly at: number; readonly sent: number[] } {
  const recent = sent.filter((time) => time > now - 60_000);
  const blocking = recent.at(-budget);
  const at = blocking === undefined ? now : Math.max(now, blocking + 60_000);
  return { at, sent: [...recent, at] };
}
