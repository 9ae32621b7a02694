/** @module Whether an operation may be gone on with: only what is unfinished, and what nobody has done otherwise since. */
import { FleetError } from "../errors.ts";
import type { OperationView } from "./journal.ts";

/**
 * Clients of a rollout that later ones have brought where it meant to. `others`: operations of the same stack.
 * @throws FleetError `OPERATION_NOT_RESUMABLE` where it runs or succeeded, `OPERATION_OVERTAKEN` where a later one brought
 * one of its clients elsewhere
 */
export function caughtUpLater(operation: OperationView, others: readonly OperationView[]): string[] {
  const { id, verb, state, began, targets } = operation;
  if (state === "running") throw notResumable("phrase.running");
  if (state === "succeeded") throw notResumable("phrase.succeeded");
  const latest = new Map<string, { readonly by: string; readonly release: string }>();
  for (const other of others.toSorted((a, b) => a.began - b.began)) {
    if (other.id === id || other.began <= began) continue;
    for (const { client, outcome, release = other.targets[client] } of other.clients)
      if ((outcome === "done" || outcome === "unchanged") && release !== undefined)
        latest.set(client, { by: other.id, release });
  }
  const overtaken = Object.entries(targets).flatMap(([client, target]) => {
    const now = latest.get(client);
    return now && now.release !== target ? [`${client} (${now.release}, ${now.by})`] : [];
  });
  if (overtaken.length > 0)
    throw new FleetError("OPERATION_OVERTAKEN", { id, verb, clients: overtaken.join(", ") });
  return Object.keys(targets).filter((client) => latest.has(client));

  function notResumable(cause: "phrase.running" | "phrase.succeeded"): FleetError {
    return new FleetError("OPERATION_NOT_RESUMABLE", { id, verb, cause });
  }
}
