/** @module The suite's environment: what is generated, fixed and derived for one client. */
import type { Adapter } from "../config/adapter.ts";

export interface EnvironmentClient {
  readonly domain: string;
  readonly email: string;
}

/** Values that are no secret, by variable. */
export function plainEnvironment(adapter: Adapter, client: EnvironmentClient): Record<string, string> {
  const derived = Object.entries(adapter.env.derived).map(([name, value]) => [
    name,
    value.replaceAll("{domain}", client.domain).replaceAll("{email}", client.email),
  ]);
  return { ...adapter.env.fixed, ...Object.fromEntries(derived) };
}

/**
 * What `write-env` reads on its standard input: one JSON line naming the generated secrets, then `KEY=VALUE` lines
 * as Compose reads them, sorted, single-quoted where a character could mean something.
 * @throws RangeError when a value has a line break, or a backslash, which Compose reads in two ways
 */
export function renderEnvironment(
  plain: Readonly<Record<string, string>>,
  secrets: Readonly<Record<string, string>>,
): string {
  const lines = Object.entries({ ...plain, ...secrets })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${quoteValue(name, value)}`);
  return `${JSON.stringify({ secrets: Object.keys(secrets).sort() })}\n${lines.join("\n")}\n`;
}

function quoteValue(name: string, value: string): string {
  if (/[\r\n\0\\]/.test(value)) throw new RangeError(`the value of ${name} has a line break or a backslash`);
  if (/^[A-Za-z0-9_@%+=:,./-]*$/.test(value)) return value;
  return `'${value.replaceAll("'", "\\'")}'`;
}
