/** @module What a town sees of going from one release to another. */
import { parse } from "yaml";
import type { Release } from "../release/release.ts";

/** A release as it is kept: its description, its effective compose file, and the names of its migrations. */
export interface KeptRelease {
  readonly release: Release;
  readonly compose: string;
  readonly migrations: readonly string[];
}

export interface ReleaseChanges {
  /** Services whose container is replaced, in the order of their replacement. */
  readonly services: readonly string[];
  /** Files that run, of those that the former release did not have. */
  readonly migrations: readonly string[];
  /** Those under the 503 page. */
  readonly breaking: readonly string[];
  /** Services that are stopped before they start again, since two at once cannot be. */
  readonly stopped: readonly string[];
}

export function releaseChanges(former: KeptRelease, next: KeptRelease): ReleaseChanges {
  const [before, after] = [sections(former.compose), sections(next.compose)];
  const names = Object.keys(next.release.services);
  const services = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const migrations = next.migrations.filter((name) => !former.migrations.includes(name));
  const { breaking } = next.release.adapter.database;
  return {
    services,
    migrations,
    breaking: migrations.filter((name) => breaking.includes(name)),
    stopped: services.filter((name) => next.release.services[name]?.stateful),
  };
}

function sections(compose: string): Readonly<Record<string, unknown>> {
  const { services } = parse(compose) as { services?: Record<string, unknown> };
  return services ?? {};
}
