/** @module What an event says of clients, for lists that do not read events. */
import { z } from "zod";
import type { ClientOutcome, NewEvent } from "./operations.ts";

const Plan = z.object({ waves: z.array(z.array(z.string())) });
const Outcome = z.object({ outcome: z.string(), release: z.string().optional() });

/** By client, of events in their order, each with its time. */
export function clientOutcomes(
  events: readonly (NewEvent & { readonly time: number })[],
): ReadonlyMap<string, ClientOutcome> {
  const found = new Map<string, ClientOutcome>();
  const add = (client: string, more: Omit<ClientOutcome, "client"> = {}) =>
    found.set(client, { ...(found.get(client) ?? { client }), ...more });
  for (const { kind, client, time, body } of events) {
    if (kind === "plan") for (const name of Plan.safeParse(body).data?.waves.flat() ?? []) add(name);
    if (client === undefined) continue;
    if (kind === "step" && found.get(client)?.began === undefined) add(client, { began: time });
    const outcome = kind === "client" ? Outcome.safeParse(body).data : undefined;
    if (!outcome) continue;
    const { release } = outcome;
    add(client, { ended: time, outcome: outcome.outcome, ...(release === undefined ? {} : { release }) });
  }
  return found;
}
