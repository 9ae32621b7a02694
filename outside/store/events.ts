/** @module Events of operations as rows, numbered without a gap. */
import { type Transaction, sql } from "kysely";
import { z } from "zod";
import { FleetError } from "../../core/errors.ts";
import { clientOutcomes } from "../../core/store/client-outcomes.ts";
import type { ClientOutcome, NewEvent, Operations, StoredEvent } from "../../core/store/operations.ts";
import type { Database } from "./database.ts";
import { readJson } from "./json.ts";
import type { EventTable, Schema } from "./schema.ts";

const Body = z.record(z.string(), z.unknown());
/** SQLite takes some 32,000 values in a statement, PostgreSQL 65,000. */
const rowsAtOnce = 2_000;
const mostEvents = 10_000;

export function eventsOf(database: Database): Pick<Operations, "append" | "events" | "outlines" | "clients"> {
  return { append, events, outlines, clients };

  function append(id: string, added: readonly NewEvent[]): Promise<number> {
    return database.exclusively(`operation ${id}`, (db) => addEvents(db, id, added));
  }

  async function events(id: string, after = 0, limit = mostEvents): Promise<StoredEvent[]> {
    const rows = await database.run((db) =>
      db
        .selectFrom("event")
        .selectAll()
        .where("operation", "=", id)
        .where("seq", ">", after)
        .orderBy("seq")
        .limit(limit)
        .execute(),
    );
    return rows.map(eventOf);
  }

  async function outlines(ids: readonly string[]): Promise<ReadonlyMap<string, readonly StoredEvent[]>> {
    const found = new Map<string, StoredEvent[]>(ids.map((id) => [id, []]));
    for (let at = 0; at < ids.length; at += rowsAtOnce) {
      const rows = await database.run((db) =>
        db
          .selectFrom("event")
          .selectAll()
          .where("operation", "in", ids.slice(at, at + rowsAtOnce))
          // As the index has it: only so it is used.
          .where(sql<boolean>`kind in ('plan', 'wave', 'end')`)
          .orderBy("operation")
          .orderBy("seq")
          .execute(),
      );
      for (const row of rows) found.get(row.operation)?.push(eventOf(row));
    }
    return found;
  }

  function eventOf({ operation, seq, time, kind, client, body }: EventTable): StoredEvent {
    return {
      ...{ seq, time, kind },
      ...(client === null ? {} : { client }),
      body: readJson(Body, body, database.place, `event ${seq} of operation ${operation}`),
    };
  }

  async function clients(ids: readonly string[]): Promise<ReadonlyMap<string, readonly ClientOutcome[]>> {
    const found = new Map<string, ClientOutcome[]>(ids.map((id) => [id, []]));
    for (let at = 0; at < ids.length; at += rowsAtOnce) {
      const rows = await database.run((db) =>
        db
          .selectFrom("operation_client")
          .selectAll()
          .where("operation", "in", ids.slice(at, at + rowsAtOnce))
          .orderBy("client")
          .execute(),
      );
      for (const { operation, client, began, ended, outcome, release } of rows)
        found.get(operation)?.push({
          client,
          ...(began === null ? {} : { began }),
          ...(ended === null ? {} : { ended }),
          ...(outcome === null ? {} : { outcome }),
          ...(release === null ? {} : { release }),
        });
    }
    return found;
  }
}

/** After what is there. Whoever calls it has the operation to himself. @throws FleetError `OPERATION_UNKNOWN` */
export async function addEvents(
  db: Transaction<Schema>,
  id: string,
  added: readonly NewEvent[],
): Promise<number> {
  const present = await db
    .selectFrom("operation")
    .select(["last_seq", "bytes"])
    .where("id", "=", id)
    .executeTakeFirst();
  if (!present) throw new FleetError("OPERATION_UNKNOWN", { id });
  const timed = added.map((event) => ({ ...event, time: event.time ?? Date.now() }));
  const rows = timed.map(({ kind, client = null, time, body }, index) => ({
    operation: id,
    seq: present.last_seq + index + 1,
    time,
    kind,
    client,
    body: JSON.stringify(body),
  }));
  for (let at = 0; at < rows.length; at += rowsAtOnce)
    await db
      .insertInto("event")
      .values(rows.slice(at, at + rowsAtOnce))
      .execute();
  await keepOutcomes(db, id, [...clientOutcomes(timed).values()]);
  const last = present.last_seq + rows.length;
  const bytes = rows.reduce((sum, { body }) => sum + Buffer.byteLength(body), present.bytes);
  await db.updateTable("operation").set({ last_seq: last, bytes }).where("id", "=", id).execute();
  return last;
}

async function keepOutcomes(
  db: Transaction<Schema>,
  operation: string,
  outcomes: readonly ClientOutcome[],
): Promise<void> {
  const rows = outcomes.map(({ client, began = null, ended = null, outcome = null, release = null }) => ({
    ...{ operation, client, began, ended, outcome, release },
  }));
  for (let at = 0; at < rows.length; at += rowsAtOnce)
    await db
      .insertInto("operation_client")
      .values(rows.slice(at, at + rowsAtOnce))
      .onConflict((conflict) =>
        conflict.columns(["operation", "client"]).doUpdateSet({
          began: sql`coalesce(operation_client.began, excluded.began)`,
          ended: sql`coalesce(excluded.ended, operation_client.ended)`,
          outcome: sql`coalesce(excluded.outcome, operation_client.outcome)`,
          release: sql`coalesce(excluded.release, operation_client.release)`,
        }),
      )
      .execute();
}
