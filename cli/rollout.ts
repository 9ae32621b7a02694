/** @module What `update` and `rollback` have in common: their options as a request, the plan that is shown and confirmed. */
import { FleetError } from "../core/errors.ts";
import { text } from "../core/messages/catalogue.ts";
import { passedOver } from "../core/release/passed-over.ts";
import { parseShare, parseWaves } from "../core/rollout/waves.ts";
import type { Planned } from "../wiring/update.ts";
import { confirm } from "./ask.ts";
import { changesTable } from "./changes-table.ts";
import type { Console } from "./console.ts";
import { integer } from "./options.ts";

export interface RolloutOptions {
  readonly client?: string[];
  readonly all?: boolean;
  readonly waves: string;
  readonly maxFailures: string;
  readonly soak: string;
  readonly parallel?: string;
  readonly withoutCanary?: boolean;
  readonly plan?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly wait: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export function requestOf(options: RolloutOptions) {
  const { client, all, waves, maxFailures, soak, parallel, withoutCanary } = options;
  return {
    clients: client,
    all,
    waves: parseWaves(waves),
    maxFailures: parseShare("--max-failures", maxFailures),
    withoutCanary,
    soakSeconds: integer("--soak", soak, 0, 86_400),
    parallel: parallel === undefined ? undefined : integer("--parallel", parallel, 1, 500),
  };
}

/** Shows the plan, and asks unless --yes says so. */
export async function confirmPlan(
  console: Console,
  { plan: isPlan, yes, json }: RolloutOptions,
  planned: Planned,
  verb: "update" | "rollback",
): Promise<boolean> {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  const { rollout, releases } = planned.plan;
  const { waves, targets } = rollout;
  const ids = [...releases.keys()].join(", ");
  const rows = planned.changes;
  if (isPlan && json) {
    const { hash } = planned;
    console.json({ hash, waves, targets: Object.fromEntries(targets), clients: rows });
    return false;
  }
  if (waves.length === 0) {
    console.progress(t("update.nothing", { release: ids || "-" }));
    return false;
  }
  const show = isPlan ? console.print : console.progress;
  for (const release of releases.values()) {
    const { id, version } = release;
    show(t("update.release", { release: id, version: version || (planned.described(id) ?? "-") }));
    const told = passedOver(release, console.language);
    if (told) show(told);
  }
  if (rows.length > 0) show(changesTable(rows, console.language));
  for (const { release, canaries } of verb === "update" ? planned.unproven : [])
    show(t("update.noCanary", { release, canaries: canaries.join(", ") }));
  show(t("update.plan", { waves: waves.map((names) => names.join(", ")).join(" → ") }));
  const { expected } = planned;
  if (expected !== undefined)
    show(t("update.expected", { minutes: Math.max(1, Math.round((expected * waves.length) / 60)) }));
  if (isPlan) return false;
  const count = waves.flat().length;
  if (yes || (await confirm(console, t(`${verb}.question`, { count, release: ids })))) return true;
  throw new FleetError("NOT_CONFIRMED_ROLLOUT");
}
