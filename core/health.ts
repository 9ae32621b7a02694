/** @module The suite's health rule, read from what a town answered. */

export interface HealthRule {
  readonly path: string;
  readonly field: string;
  readonly equals: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/** `undefined` when healthy, else the reason. The suite answers 200 even when it is degraded: only its JSON counts. */
export function unhealthy(rule: HealthRule, { status, body }: HttpAnswer): string | undefined {
  const json = readJson(body);
  if (json === undefined) return `HTTP ${status}, no JSON: ${excerpt(body)}`;
  const got = json[rule.field];
  if (status !== 200 || got !== rule.equals)
    return `HTTP ${status}, ${rule.field} is ${JSON.stringify(got)}, expected ${JSON.stringify(rule.equals)}: ${excerpt(body)}`;
  return undefined;
}

/** The release that a town shows, `undefined` when it shows none. */
export function shownRelease({ status, body }: HttpAnswer): string | undefined {
  const release = status === 200 ? readJson(body)?.release : undefined;
  return typeof release === "string" ? release : undefined;
}

function readJson(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function excerpt(body: string): string {
  return body.replace(/\s+/g, " ").trim().slice(0, 200);
}
