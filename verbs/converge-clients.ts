/** @module Converges some clients and no other, as one wave: what `provision` ends with, and what puts a server right again. */
import { FleetError } from "../core/errors.ts";
import { leftOf } from "../core/rollout/left.ts";
import { pinOf } from "../core/rollout/pins.ts";
import type { Operation } from "./operation.ts";
import type { RolloutContext } from "./update/roll-out.ts";

export interface ConvergeRequest {
  readonly clients: readonly string[];
  /** Run every command of theirs again, though nothing that is declared changed. */
  readonly isRedone?: boolean;
  /** Resources that are worked on at once. */
  readonly parallel?: number | undefined;
}

/**
 * A client's failure is told to the operation.
 * @returns the clients that are as they are declared
 * @throws FleetError `OTHERS_TOUCHED`, `CANCELLED`, of the engine
 */
export async function convergeClients(
  { engine, file, describe }: Pick<RolloutContext, "engine" | "file" | "describe">,
  operation: Operation,
  { clients, isRedone = false, parallel }: ConvergeRequest,
): Promise<readonly string[]> {
  operation.plan([clients], {});
  await engine.idle((holder) => operation.line(holder));
  let touched = await engine.preview();
  const others = [...new Set(touched.map(({ client }) => client))].filter(
    (client) => client !== undefined && !clients.includes(client),
  );
  if (others.length > 0) throw new FleetError("OTHERS_TOUCHED", { others: others.join(", ") });
  operation.refuseCancelled();
  if (isRedone) {
    await engine.redo(clients);
    touched = await engine.preview();
  }
  operation.wave(1, clients);
  const { changes, done, failures } = await engine.up({
    ...(parallel === undefined ? {} : { parallel }),
    cancelFile: operation.cancelFile,
    isRepair: isRedone,
    onStep: operation.step,
    onStepEnd: operation.stepEnd,
    onLine: operation.line,
  });
  const [activated, config] = await Promise.all([engine.activated(), file.read()]);
  const converged: string[] = [];
  for (const name of clients) {
    const release = activated.get(name);
    const cause = failures.find(({ client }) => client === name)?.message ?? notConverged(name, release);
    const isTouched = changes.some(({ client }) => client === name);
    if (cause === undefined) {
      converged.push(name);
      operation.client(name, isTouched ? "done" : "unchanged", { release });
    } else operation.client(name, operation.cancelled.aborted ? "cancelled" : "failed", { release, cause });
  }
  return converged;

  /** No failure of its own is no success: what a client waits for may have failed, or the engine ended. */
  function notConverged(name: string, release: string | undefined): string | undefined {
    const left = leftOf(name, touched, done);
    const client = config.clients.find((each) => each.name === name);
    const wanted = client && pinOf(config, client);
    const isThere = release !== undefined && (wanted === undefined || release === wanted);
    if (left.length === 0 && isThere) return undefined;
    return describe(new FleetError("NOT_CONVERGED", { steps: left.join(", ") || "activation" }));
  }
}
