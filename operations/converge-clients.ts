/** @module Converges some clients and no other, as one wave: what `provision` ends with, and what puts a server right again. */
import type { Engine } from "../core/engine/port.ts";
import { FleetError } from "../core/errors.ts";
import type { Operation } from "./operation.ts";

export interface ConvergeRequest {
  readonly clients: readonly string[];
  /** Run every command of theirs again, though nothing that is declared changed. */
  readonly isRedone?: boolean;
  /** Resources that are worked on at once. */
  readonly parallel?: number | undefined;
}

/** @throws FleetError `OTHERS_TOUCHED`, `CANCELLED`, of the engine. A client's failure is told to the operation. */
export async function convergeClients(
  engine: Engine,
  operation: Operation,
  { clients, isRedone = false, parallel }: ConvergeRequest,
): Promise<void> {
  operation.plan([clients], {});
  await engine.idle((holder) => operation.line(holder));
  const touched = await engine.preview();
  const others = [...new Set(touched.map(({ client }) => client))].filter(
    (client) => client !== undefined && !clients.includes(client),
  );
  if (others.length > 0) throw new FleetError("OTHERS_TOUCHED", { others: others.join(", ") });
  operation.refuseCancelled();
  if (isRedone) await engine.redo(clients);
  operation.wave(1, clients);
  const { changes, failures } = await engine.up({
    ...(parallel === undefined ? {} : { parallel }),
    cancelFile: operation.cancelFile,
    isRepair: isRedone,
    onStep: operation.step,
    onStepEnd: operation.stepEnd,
    onLine: operation.line,
  });
  const activated = await engine.activated();
  for (const name of clients) {
    const failure = failures.find(({ client }) => client === name);
    const release = activated.get(name);
    if (failure)
      operation.client(name, operation.cancelled.aborted ? "cancelled" : "failed", {
        release,
        cause: failure.message,
      });
    else {
      const isTouched = changes.some(({ client }) => client === name);
      operation.client(name, isTouched ? "done" : "unchanged", { release });
    }
  }
}
