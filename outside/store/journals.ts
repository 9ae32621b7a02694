/** @module Journals that are never forgotten, as rows that the database lets nobody change. */
import type { Transaction } from "kysely";
import { z } from "zod";
import type { JournalKind, JournalLine, Journals } from "../../core/store/port.ts";
import type { Database } from "./database.ts";
import { readJson } from "./json.ts";
import type { Schema } from "./schema.ts";

const Event = z.record(z.string(), z.unknown());

export function journals(database: Database): Journals {
  return {
    add: (kind, client, event) =>
      database.exclusively(`journal ${kind} ${client}`, (db) =>
        addLines(db, kind, client, [{ time: Date.now(), event }]),
      ),
    read: (kind, client) => lines(kind, client),
    all: (kind) => lines(kind),
  };

  async function lines(kind: JournalKind, client?: string): Promise<JournalLine[]> {
    const rows = await database.run((db) =>
      db
        .selectFrom("journal_line")
        .selectAll()
        .where("kind", "=", kind)
        .$if(client !== undefined, (query) => query.where("client", "=", client ?? ""))
        .orderBy("client")
        .orderBy("line")
        .execute(),
    );
    return rows.map(({ client: of, line, time, event }) => ({
      ...{ client: of, line, time },
      event: readJson(Event, event, database.place, `line ${line} of the ${kind} journal of ${of}`),
    }));
  }
}

/** After what is there, numbered on. Whoever calls it has the journal to himself. */
export async function addLines(
  db: Transaction<Schema>,
  kind: JournalKind,
  client: string,
  added: readonly { readonly time: number; readonly event: object }[],
): Promise<void> {
  const { last } = await db
    .selectFrom("journal_line")
    .select(({ fn }) => fn.max("line").as("last"))
    .where("kind", "=", kind)
    .where("client", "=", client)
    .executeTakeFirstOrThrow();
  const rows = added.map(({ time, event }, index) => ({
    ...{ kind, client, time },
    line: (last ?? 0) + index + 1,
    event: JSON.stringify(event),
  }));
  if (rows.length > 0) await db.insertInto("journal_line").values(rows).execute();
}
