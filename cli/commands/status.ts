/** @module `status`: every server's state, as seen from outside and as it tells itself. */
import type { Language } from "../../core/messages/catalogue.ts";
import { text } from "../../core/messages/catalogue.ts";
import { type ClientStatus, readStatus } from "../../operations/read-status.ts";
import type { Console } from "../console.ts";
import { stepContext } from "../context.ts";
import { declaredFleet, statusClient } from "../fleet.ts";
import { table } from "../table.ts";

/** Ends with status 1 when a town is not healthy. */
export async function status(console: Console, options: { stack?: string; json?: boolean }): Promise<void> {
  const { clients } = await declaredFleet(options.stack);
  const converged = clients.filter(({ client }) => !client.detached);
  const rows = await readStatus(stepContext(console.progress), converged.map(statusClient));
  if (rows.some((row) => row.health !== "healthy" || row.sshError)) console.fail();
  if (options.json) return console.json(rows);
  console.print(statusTable(rows, console.language));
}

export function statusTable(rows: readonly ClientStatus[], language: Language): string {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, language, values);
  const head = ["client", "url", "health", "release", "certificate", "schedules", "disk"] as const;
  return table(
    head.map((key) => t(`column.${key}`)),
    rows.map((row) => [
      row.name,
      row.url,
      row.cause ? `${t(`status.${row.health}`)}: ${row.cause}` : t(`status.${row.health}`),
      row.release === row.desiredRelease
        ? row.release
        : t("status.desired", { running: row.release ?? "-", desired: row.desiredRelease }),
      certificate(row),
      row.facts
        ? row.facts.schedules.map(({ name, next }) => `${name} → ${next ?? "-"}`).join("\n")
        : (row.sshError ?? "-"),
      row.facts?.disk ? `${row.facts.disk.usedPercent} %` : "-",
    ]),
  );

  function certificate({ facts }: ClientStatus): string {
    if (!facts?.certificate) return "-";
    const { notAfter, daysLeft } = facts.certificate;
    return t("status.days", { date: notAfter.slice(0, 10), days: Math.floor(daysLeft) });
  }
}
