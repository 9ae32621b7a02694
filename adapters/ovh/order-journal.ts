/** @module The journal of an order: one line an event, on the disk before the next thing is done. */
import { mkdir, open, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FleetError } from "../../core/errors.ts";
import { OrderLine } from "../../core/ovh/order.ts";
import type { OrderJournal } from "../../core/ovh/order-ports.ts";

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
  const file = join(folderOf(state), `${client}.jsonl`);
  return { file, read: () => readLines(file), write, otherOrders };

  async function write(event: Parameters<OrderJournal["write"]>[0]): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(file, "a", 0o600);
    try {
      await handle.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async function otherOrders(): Promise<number[]> {
    const others = (await orderedClients(state)).filter((name) => name !== client);
    const lines = await Promise.all(others.map((name) => readLines(join(folderOf(state), `${name}.jsonl`))));
    return lines.flat().flatMap((line) => (line.event === "ordered" ? [line.orderId] : []));
  }
}

async function readLines(file: string): Promise<OrderLine[]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const lines = text.split("\n");
  // A line that was being written when the machine died tells of nothing that was done yet.
  lines.pop();
  return lines.map((line) => {
    try {
      return OrderLine.parse(JSON.parse(line));
    } catch (error) {
      throw new FleetError("ORDER_JOURNAL", { file, cause: (error as Error).message.slice(0, 200) });
    }
  });
}
