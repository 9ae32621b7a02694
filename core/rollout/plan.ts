/** @module A rollout's plan as plain data: what a person confirms, and what is compared before anything is done. */
import { createHash } from "node:crypto";

export interface PlanData {
  readonly waves: readonly (readonly string[])[];
  /** Release by client that it is brought to. */
  readonly targets: ReadonlyMap<string, string>;
  /** Release by client that it runs; a client that never ran any is not there. */
  readonly running: ReadonlyMap<string, string>;
}

/** The same for the same plan, whoever makes it. */
export function planHash(plan: PlanData): string {
  const rows = changesOf(plan).map(([client, change]) => `${client} ${change}`);
  const text = JSON.stringify([plan.waves, rows]);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/** What differs from the plan that was confirmed, e.g. `ville-a: none → 1f2e…, confirmed was 0a1b… → 1f2e…`. */
export function planDifferences(confirmed: PlanData, now: PlanData): string[] {
  const [before, after] = [new Map(changesOf(confirmed)), new Map(changesOf(now))];
  const clients = [...new Set([...before.keys(), ...after.keys()])].sort();
  const differing = clients.flatMap((client) => {
    const [was, is] = [before.get(client) ?? "-", after.get(client) ?? "-"];
    return was === is ? [] : [`${client}: ${is} (${was})`];
  });
  if (differing.length > 0 || planHash(confirmed) === planHash(now)) return differing;
  return [now.waves.map((names) => names.join(", ")).join(" → ")];
}

function changesOf({ targets, running }: PlanData): [string, string][] {
  return [...targets]
    .map(([client, release]): [string, string] => [client, `${running.get(client) ?? "-"} → ${release}`])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
