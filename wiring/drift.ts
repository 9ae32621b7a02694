/** @module What differs on servers from what is declared, and the way to put it right. */
import type { Audience } from "../core/ports.ts";
import { readTree } from "../outside/file-tree.ts";
import { convergeClients } from "../verbs/converge-clients.ts";
import type { Operation } from "../verbs/operation.ts";
import { type ClientDrift, readDrift } from "../verbs/read-drift.ts";
import { chosenFleet, statusClient } from "./fleet.ts";
import { stepContext } from "./step-context.ts";
import { updateContext } from "./update-context.ts";

export type { ClientDrift };

/** Reads the stack once. @returns compares the servers anew @throws FleetError as `chosenFleet` */
export async function openDrift(
  audience: Audience,
  stack: string | undefined,
  names: readonly string[] | undefined,
): Promise<() => Promise<ClientDrift[]>> {
  const { config, clients } = await chosenFleet(stack, names);
  const context = { ...stepContext(audience.progress), readTree };
  const compared = clients.map((each) => ({
    client: each.client,
    desired: each.release,
    target: statusClient(each).target,
  }));
  return () => readDrift(context, compared, config);
}

/** Every command of some clients run again. */
export async function repair(
  audience: Audience,
  stack: string | undefined,
  clients: readonly string[],
): Promise<{ readonly stack: string; work(operation: Operation): Promise<void> }> {
  const context = await updateContext(audience, stack, false);
  return {
    stack: context.file.stack,
    async work(operation) {
      await convergeClients(context, operation, { clients, isRedone: true });
    },
  };
}
