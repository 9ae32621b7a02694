/** @module The database itself keeps what is only ever added to. */
import { type Kysely, sql } from "kysely";
import type { Engine } from "../database.ts";

export async function refuseChanges(db: Kysely<never>, engine: Engine, table: string): Promise<void> {
  const said = `rows of ${table} are never changed nor removed`;
  if (engine === "sqlite") {
    // `insert or replace` removes a row too: the connection's `recursive_triggers` has it refused.
    for (const change of ["update", "delete"])
      await sql`create trigger ${sql.id(`${table}_${change}`)} before ${sql.raw(change)} on ${sql.table(table)}
        begin select raise(abort, ${sql.lit(said)}); end`.execute(db);
    return;
  }
  const name = sql.id(`${table}_stays`);
  const body = `begin raise exception '${said}'; end`;
  await sql`create function ${name}() returns trigger language plpgsql as ${sql.lit(body)}`.execute(db);
  await sql`create trigger ${name} before update or delete or truncate on ${sql.table(table)}
    for each statement execute function ${name}()`.execute(db);
}
