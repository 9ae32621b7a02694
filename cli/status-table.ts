/** @module What `status` shows of each town: cells, as a table in a terminal and as one line a town elsewhere. */
import type { ClientFacts } from "../core/facts/client.ts";
import { findingText, type Language, type TextKey, text, type Values } from "../core/messages/catalogue.ts";
import type { ClientStatus } from "../wiring/status.ts";
import { table } from "./table.ts";

const head = [
  "column.client",
  "column.health",
  "column.release",
  "column.containers",
  "column.certificate",
  "column.backup",
  "column.schedules",
  "column.disk",
  "column.load",
  "column.activity",
] as const;

export function statusTable(rows: readonly ClientStatus[], language: Language, now = Date.now()): string {
  return table(
    head.map((key) => text(key, language)),
    rows.map((row) => cells(row, language, now)),
  );
}

/** For logs and pipes: a line a town, cells between tabs. */
export function statusLines(rows: readonly ClientStatus[], language: Language, now = Date.now()): string {
  return rows
    .map((row) =>
      cells(row, language, now)
        .map((cell) => cell.replaceAll("\n", ", "))
        .join("\t"),
    )
    .join("\n");
}

function cells(row: ClientStatus, language: Language, now: number): string[] {
  const t = (key: TextKey, values: Values = {}) => text(key, language, values);
  const { facts } = row;
  const state =
    row.health === "unreachable" && !row.ssh_ok ? t("status.unreachableBoth") : t(`status.${row.health}`);
  const release =
    row.release === row.desiredRelease
      ? row.release
      : t("status.desired", { running: row.release ?? facts?.release ?? "-", desired: row.desiredRelease });
  return [
    `${row.name}\n${row.url}`,
    [row.cause ? `${state}: ${row.cause}` : state, ...(facts ? findings(facts, language) : [])].join("\n"),
    release,
    facts ? containers(facts, t) : t("status.sshOnly", { cause: row.sshError ?? "-" }),
    facts?.certificate
      ? t("status.days", {
          date: facts.certificate.notAfter.slice(0, 10),
          days: Math.floor(facts.certificate.daysLeft),
        })
      : "-",
    facts ? backup(facts, now, t) : "-",
    facts?.schedules.map(({ name, next }) => `${name} → ${next ?? "-"}`).join("\n") || "-",
    facts?.disk ? `${facts.disk.usedPercent} %` : "-",
    facts ? load(facts, t) : "-",
    facts ? activity(facts, t) : "-",
  ];
}

/** What the monitor found, a line each; one that is newer than these words keeps its own. */
function findings({ monitor }: ClientFacts, language: Language): string[] {
  return (monitor?.problems ?? []).map(({ code, item, text: told }) => {
    const what = findingText(code, language);
    if (what === undefined) return `${code}: ${told}`;
    const which = item ?? told;
    return which ? text("finding.of", language, { what, item: which }) : what;
  });
}

type Translate = (key: TextKey, values?: Values) => string;

/** `10/10`, or the names of those that are not well. */
function containers({ containers: all }: ClientFacts, t: Translate): string {
  const bad = all.filter(({ state, health }) => state !== "running" || (health ?? "healthy") !== "healthy");
  if (bad.length === 0) return `${all.length}/${all.length}`;
  return t("status.bad", {
    bad: bad.length,
    all: all.length,
    names: bad.map(({ service, state, health }) => `${service} (${health || state})`).join(", "),
  });
}

function backup({ lastBackup }: ClientFacts, now: number, t: Translate): string {
  const made = Date.parse(lastBackup?.newest?.createdAt ?? "");
  if (Number.isNaN(made)) return t("status.missingBackup");
  const age = t("status.ageHours", { hours: Math.max(0, Math.floor((now - made) / 3_600_000)) });
  return lastBackup?.outcome === "failed" ? `${age}\n${t("status.backupFailed")}` : age;
}

function load({ load: means, memory }: ClientFacts, t: Translate): string {
  const parts = [
    means?.[0]?.toFixed(2),
    memory ? `${memory.availableMiB}/${memory.totalMiB} MiB ${t("status.free")}` : undefined,
  ];
  return parts.filter(Boolean).join("\n") || "-";
}

function activity({ activity: held, rebootRequired }: ClientFacts, t: Translate): string {
  const parts = [
    held ? [held.what, held.since].filter(Boolean).join(", ") : undefined,
    rebootRequired ? t("status.reboot") : undefined,
  ];
  return parts.filter(Boolean).join("\n") || "-";
}
