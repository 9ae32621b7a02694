/** @module Let's Encrypt's limits, kept before anything is asked. Figures: letsencrypt.org/docs/rate-limits. */

const hour = 3_600_000;
const week = 7 * 24 * hour;

/** Some of each limit stays for people and renewals by other ways. */
const limits = { perRegisteredDomain: 45, perName: 4, failuresPerName: 4 } as const;

export interface AcmeRequest {
  readonly domain: string;
  /** ACME directory; budgets of different servers are apart. */
  readonly server: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface AcmeEvent extends AcmeRequest {
  readonly outcome: "issued" | "failed";
}

export type Budget =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly limit: string;
      readonly used: number;
      /** Milliseconds since 1970. */ readonly until: number;
    };

/** May a certificate for `domain` be asked for at `now`? */
export function acmeBudget(
  events: readonly AcmeEvent[],
  domain: string,
  server: string,
  now: number,
): Budget {
  const past = events.filter((event) => event.server === server);
  const issued = past.filter((event) => event.outcome === "issued" && event.time > now - week);
  const failed = past.filter(
    (event) => event.outcome === "failed" && event.domain === domain && event.time > now - hour,
  );
  const same = issued.filter((event) => event.domain === domain);
  const family = issued.filter((event) => registeredDomain(event.domain) === registeredDomain(domain));
  return (
    spent(failed, limits.failuresPerName, `${limits.failuresPerName} failures per name and hour`, hour) ??
    spent(same, limits.perName, `${limits.perName} certificates per name and 7 days`, week) ??
    spent(
      family,
      limits.perRegisteredDomain,
      `${limits.perRegisteredDomain} new certificates per registered domain and 7 days`,
      week,
    ) ?? { ok: true }
  );
}

/** Events that still count towards a limit. */
export function relevantEvents(events: readonly AcmeEvent[], now: number): AcmeEvent[] {
  return events.filter((event) => event.time > now - week);
}

/** Last two labels; right for the domains that French towns use (`.fr`, `.com`), too strict for `co.uk`. */
export function registeredDomain(domain: string): string {
  return domain.split(".").slice(-2).join(".");
}

function spent(
  events: readonly AcmeEvent[],
  allowed: number,
  limit: string,
  span: number,
): Budget | undefined {
  if (events.length < allowed) return undefined;
  const times = events.map((event) => event.time).sort((a, b) => a - b);
  const last = times[times.length - allowed] ?? 0;
  return { ok: false, limit, used: events.length, until: last + span };
}
