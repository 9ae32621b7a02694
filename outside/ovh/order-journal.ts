/** @module The journal of an order. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type OrderEvent, OrderLine } from "../../core/ovh/order.ts";
import type { OrderJournal } from "../../core/ovh/order-ports.ts";
import { type AppendJournal, appendJournal } from "../append-journal.ts";

const folderOf = (state: string) => join(state, "orders");

/** Names of the clients that were ever ordered for. */
export async function orderedClients(state: string): Promise<string[]> {
  const names = await readdir(folderOf(state)).catch(() => []);
  return names
    .filter((name) => name.endsWith(".jsonl"))
    .map((name) => name.slice(0, -".jsonl".length))
    .sort();
}

/** `state`: the operator's folder; `client`: a name that was checked. */
export function orderJournal(state: string, client: string): OrderJournal {
  return { ...linesOf(state, client), otherOrders };

  async function otherOrders() {
    const others = (await orderedClients(state)).filter((name) => name !== client);
    const lines = await Promise.all(
      others.map(async (name) => (await linesOf(state, name).read()).map((line) => ({ name, line }))),
    );
    return lines
      .flat()
      .flatMap(({ name, line }) =>
        line.event === "ordered" ? [{ client: name, orderId: line.orderId }] : [],
      );
  }
}

function linesOf(state: string, client: string): AppendJournal<OrderEvent, OrderLine> {
  return appendJournal(join(folderOf(state), `${client}.jsonl`), OrderLine, "ORDER_JOURNAL");
}
