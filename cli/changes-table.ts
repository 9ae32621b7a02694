/** @module What towns would see of a rollout, as a table. */
import { type Language, text } from "../core/messages/catalogue.ts";
import type { ReleaseChanges } from "../core/rollout/changes.ts";
import type { ClientChanges } from "../wiring/changes.ts";
import { table } from "./table.ts";

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
