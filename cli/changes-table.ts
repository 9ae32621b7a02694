/** @module What towns would see of a rollout, as a table and as JSON. */
import { home } from "../outside/home.ts";
import { readKept } from "../outside/kept-release.ts";
import { releaseStore } from "../outside/release-store.ts";
import { type Language, text } from "../core/messages/catalogue.ts";
import { type ReleaseChanges, releaseChanges } from "../core/rollout/changes.ts";
import { table } from "./table.ts";

export interface ClientChanges {
  readonly client: string;
  /** Release that runs; absent before the first installation. */
  readonly running?: string;
  readonly release: string;
  /** Absent before the first installation, and when the running release is not in the store. */
  readonly changes?: ReleaseChanges;
}

/** Of the clients whose release would change. */
export async function readChanges(
  targets: ReadonlyMap<string, string>,
  running: ReadonlyMap<string, string>,
): Promise<ClientChanges[]> {
  const store = releaseStore(home().state);
  const differing = [...targets].filter(([client, release]) => running.get(client) !== release);
  return Promise.all(
    differing.map(async ([client, release]) => {
      const former = running.get(client);
      if (former === undefined) return { client, release };
      const [before, after] = await Promise.all([readKept(store, former), readKept(store, release)]);
      const told = { client, running: former, release };
      return before && after ? { ...told, changes: releaseChanges(before, after) } : told;
    }),
  );
}

export function changesTable(rows: readonly ClientChanges[], language: Language): string {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, language, values);
  const head = ["client", "release", "services", "migrations", "outage"] as const;
  return table(
    head.map((key) => t(`column.${key}`)),
    rows.map(({ client, running, release, changes }) => [
      client,
      running === undefined ? release : `${running} → ${release}`,
      changes?.services.join(", ") || "-",
      changes?.migrations.join(", ") || "-",
      outage(running, changes),
    ]),
  );

  function outage(running: string | undefined, changes: ReleaseChanges | undefined): string {
    if (running === undefined) return t("preview.first");
    if (!changes) return t("preview.notHeld", { release: running });
    if (changes.lacking.length > 0) return t("preview.lacking", { migrations: changes.lacking.join(", ") });
    if (changes.emptied.length > 0) return t("preview.emptied", { services: changes.emptied.join(", ") });
    const outages = [
      ...(changes.breaking.length > 0
        ? [t("preview.breaking", { migrations: changes.breaking.join(", ") })]
        : []),
      ...(changes.stopped.length > 0
        ? [t("preview.stateful", { services: changes.stopped.join(", ") })]
        : []),
    ];
    return outages.join("; ") || t("preview.noOutage");
  }
}
