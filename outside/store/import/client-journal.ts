/** @module Journals of orders and retirements, taken over line by line. */
import type { Transaction } from "kysely";
import { z } from "zod";
import { OrderLine } from "../../../core/ovh/order.ts";
import { RetirementLine } from "../../../core/registry/retirement.ts";
import type { JournalKind } from "../../../core/store/port.ts";
import { addLines } from "../journals.ts";
import type { Schema } from "../schema.ts";
import { Unreadable, understood } from "./unreadable.ts";

const schemas = { order: OrderLine, retirement: RetirementLine } as const;
const Raw = z.looseObject({ time: z.iso.datetime() });

/** Lines that are there already must be the same: then those after them are added. @throws Unreadable */
export function importJournal(kind: JournalKind, client: string) {
  return async (db: Transaction<Schema>, text: string): Promise<boolean> => {
    const lines = text.split("\n");
    // A line that was being written when the machine died tells of nothing that was done yet.
    lines.pop();
    const found = lines.map((line, index) => {
      const where = `line ${index + 1}`;
      understood<unknown>(schemas[kind], line, where);
      const { time, ...event } = understood(Raw, line, where);
      return { time: Date.parse(time), event };
    });
    const present = await db
      .selectFrom("journal_line")
      .select(["time", "event"])
      .where("kind", "=", kind)
      .where("client", "=", client)
      .orderBy("line")
      .execute();
    for (const [index, line] of present.slice(0, found.length).entries()) {
      const same = line.time === found[index]?.time && line.event === JSON.stringify(found[index]?.event);
      if (!same) throw new Unreadable(`line ${index + 1} is another one than the store's`);
    }
    await addLines(db, kind, client, found.slice(present.length));
    return true;
  };
}
