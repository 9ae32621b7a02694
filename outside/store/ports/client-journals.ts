/** @module Journals of orders and of retirements over the store. */
import { join } from "node:path";
import type { z } from "zod";
import { type ErrorCode, FleetError } from "../../../core/errors.ts";
import { OrderLine } from "../../../core/ovh/order.ts";
import type { OrderJournal } from "../../../core/ovh/order-ports.ts";
import type { RetirementJournal } from "../../../core/registry/port.ts";
import { RetirementLine } from "../../../core/registry/retirement.ts";
import type { JournalKind, JournalLine, Store } from "../../../core/store/port.ts";

type Journalled = Pick<Store, "journals" | "place">;

/** Names of the clients that were ever ordered for. */
export async function storedOrderedClients({ journals }: Journalled): Promise<string[]> {
  return [...new Set((await journals.all("order")).map(({ client }) => client))].sort();
}

/** `client`: a name that was checked. */
export function storedOrderJournal(store: Journalled, client: string): OrderJournal {
  const lines = linesOf(store, "order", client, OrderLine, "ORDER_JOURNAL");
  return { ...lines, otherOrders };

  async function otherOrders() {
    const others = (await store.journals.all("order")).filter((line) => line.client !== client);
    return others.flatMap((stored) => {
      const line = understood(stored, OrderLine, "ORDER_JOURNAL", fileOf(store, "order", stored.client));
      return line.event === "ordered" ? [{ client: stored.client, orderId: line.orderId }] : [];
    });
  }
}

/** `state`: the operator's folder, which keeps the last backup; `client`: a name that was checked. */
export function storedRetirementJournal(store: Journalled, state: string, client: string): RetirementJournal {
  const lines = linesOf(store, "retirement", client, RetirementLine, "RETIREMENT_JOURNAL");
  return { folder: join(state, "retired", client), ...lines };
}

function linesOf<Event extends object, Line extends Event & { readonly time: string }>(
  store: Journalled,
  kind: JournalKind,
  client: string,
  schema: z.ZodType<Line>,
  code: ErrorCode,
) {
  const file = fileOf(store, kind, client);
  return {
    file,
    read: async (): Promise<Line[]> =>
      (await store.journals.read(kind, client)).map((line) => understood(line, schema, code, file)),
    write: (event: Event) => store.journals.add(kind, client, event),
  };
}

function understood<Line>(
  { time, event }: JournalLine,
  schema: z.ZodType<Line>,
  code: ErrorCode,
  file: string,
): Line {
  const parsed = schema.safeParse({ ...event, time: new Date(time).toISOString() });
  if (parsed.success) return parsed.data;
  throw new FleetError(code, { file, cause: parsed.error.message.slice(0, 200) });
}

/** For messages. */
function fileOf({ place }: Journalled, kind: JournalKind, client: string): string {
  return `${place} (${kind} ${client})`;
}
