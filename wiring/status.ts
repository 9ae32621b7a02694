/** @module The state of servers, as `status` asks for it. */
import type { Audience } from "../core/ports.ts";
import { type ClientStatus, readStatus } from "../verbs/read-status.ts";
import { chosenFleet, statusClient } from "./fleet.ts";
import { stepContext } from "./step-context.ts";

export type { ClientStatus };

/**
 * Reads the stack once. @returns asks every server anew, so many `seconds` each
 * @throws FleetError of the configuration, `CLIENTS_NOT_FOUND`, `CLIENT_DETACHED`
 */
export async function openStatus(
  audience: Audience,
  stack: string | undefined,
  names: readonly string[] | undefined,
  seconds: number,
): Promise<() => Promise<ClientStatus[]>> {
  const clients = (await chosenFleet(stack, names)).clients.map(statusClient);
  return () => readStatus(stepContext(audience.progress), clients, seconds);
}
