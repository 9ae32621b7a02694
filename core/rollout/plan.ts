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
  const text = JSON.stringify([plan.waves, changesOf(plan)]);
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

/**
 * What differs from the plan that was confirmed, e.g. `ville-a: 0a1b… → 1f2e… (none → 1f2e…)`. A client that was brought to its
 * release meanwhile is no difference: nothing is done to it.
 */
export function planDifferences(confirmed: PlanData, now: PlanData): string[] {
  const [before, after] = [new Map(changesOf(confirmed)), new Map(changesOf(now))];
  const isThere = (client: string) => now.running.get(client) === confirmed.targets.get(client);
  const isLeft = (client: string) =>
    !isThere(client) ||
    (now.targets.has(client) && now.targets.get(client) !== confirmed.targets.get(client));
  const clients = [...new Set([...before.keys(), ...after.keys()])].filter(isLeft).sort();
  const differing = clients.flatMap((client) => {
    const [was, is] = [before.get(client) ?? "-", after.get(client) ?? "-"];
    return was === is ? [] : [`${client}: ${is} (${was})`];
  });
  const [wavesBefore, wavesNow] = [confirmed, now].map(({ waves }) =>
    waves
      .map((names) => names.filter(isLeft).join(", "))
      .filter(Boolean)
      .join(" → "),
  );
  if (differing.length > 0 || wavesBefore === wavesNow) return differing;
  return [`${wavesNow} (${wavesBefore})`];
}

function changesOf({ targets, running }: PlanData): [string, string][] {
  return [...targets]
    .map(([client, release]): [string, string] => [client, `${running.get(client) ?? "-"} → ${release}`])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
