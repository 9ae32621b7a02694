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
  /** Breaking ones of the former release that this one lacks: it cannot run with their schema, and `update` and the server refuse it. */
  readonly lacking: readonly string[];
  /** Services that are stopped before they start again, since two at once cannot be: before the migrations, which may need them. */
  readonly stopped: readonly string[];
  /** Of them those that would begin with other volumes, thus with nothing: `update` and the server refuse that. */
  readonly emptied: readonly string[];
}

export function releaseChanges(former: KeptRelease, next: KeptRelease): ReleaseChanges {
  const [before, after] = [sections(former.compose), sections(next.compose)];
  const names = Object.keys(next.release.services);
  const services = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  const migrations = next.migrations.filter((name) => !former.migrations.includes(name));
  const { breaking } = next.release.adapter.database;
  const stateful = names.filter((name) => next.release.services[name]?.stateful);
  const [had, has] = [volumes(former.compose), volumes(next.compose)];
  return {
    services,
    migrations,
    breaking: migrations.filter((name) => breaking.includes(name)),
    lacking: lackingBreaking(former, next),
    stopped: services.filter((name) => stateful.includes(name)),
    emptied: stateful.filter((name) => {
      const [before = [], after = []] = [had.get(name), has.get(name)];
      return before.length > 0 && !before.some((volume) => after.includes(volume));
    }),
  };
}

/** Names of the volumes of each service; a folder of the server is none. */
function volumes(compose: string): ReadonlyMap<string, readonly string[]> {
  const file = parse(compose) as ComposeVolumes;
  const named = (source: string) => file.volumes?.[source]?.name ?? source;
  const sources = (mounts: readonly unknown[]) =>
    mounts
      .map((mount) =>
        typeof mount === "string" ? (mount.split(":")[0] ?? "") : ((mount as Mount).source ?? ""),
      )
      .filter((source) => source !== "" && !/^[./~]/.test(source));
  return new Map(
    Object.entries(file.services ?? {}).map(([name, service]) => [
      name,
      sources(service?.volumes ?? []).map(named),
    ]),
  );
}

interface Mount {
  readonly source?: string;
}

interface ComposeVolumes {
  readonly services?: Readonly<Record<string, { readonly volumes?: readonly unknown[] } | null>>;
  readonly volumes?: Readonly<Record<string, { readonly name?: string } | null>>;
}

/** Migrations that the former release has run and that the next one neither has nor can run with. */
function lackingBreaking(former: KeptRelease, next: KeptRelease): string[] {
  const breaking = [former, next].flatMap(({ release }) => release.adapter.database.breaking);
  return former.migrations.filter((name) => breaking.includes(name) && !next.migrations.includes(name));
}

function sections(compose: string): Readonly<Record<string, unknown>> {
  const { services } = parse(compose) as { services?: Record<string, unknown> };
  return services ?? {};
}
