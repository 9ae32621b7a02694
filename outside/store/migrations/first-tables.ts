/** @module The first tables of the store. */
import { type CreateTableBuilder, type Kysely, sql } from "kysely";
import type { Engine } from "../database.ts";
import { refuseChanges } from "./refuse-changes.ts";

export async function firstTables(db: Kysely<never>, engine: Engine): Promise<void> {
  const integer = engine === "sqlite" ? "integer" : "bigint";
  const table = (name: string) => db.schema.createTable(name);
  /** Goes up, and no number is given twice. */
  const numbered = <Name extends string>(builder: CreateTableBuilder<Name>, column: string) =>
    builder.addColumn(column, integer, (made) =>
      engine === "sqlite" ? made.primaryKey().autoIncrement() : made.generatedAlwaysAsIdentity().primaryKey(),
    );

  await table("holder")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("machine", "text", (column) => column.notNull())
    .addColumn("boot", "text", (column) => column.notNull())
    .addColumn("namespace", "text", (column) => column.notNull())
    .addColumn("pid", integer, (column) => column.notNull())
    .addColumn("started", "text", (column) => column.notNull())
    .addColumn("beat", integer, (column) => column.notNull())
    .addColumn("beaten", integer, (column) => column.notNull())
    .execute();

  await table("operation")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("verb", "text", (column) => column.notNull())
    .addColumn("stack", "text", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("request", "text", (column) => column.notNull())
    .addColumn("plan_hash", "text")
    .addColumn("not_before", integer)
    .addColumn("resumes", "text")
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("created", integer, (column) => column.notNull())
    .addColumn("started", integer)
    .addColumn("ended", integer)
    .addColumn("exit", integer)
    .addColumn("cause", "text")
    .addColumn("cancel", "text")
    .addColumn("holder", "text", (column) => column.references("holder.id"))
    .addColumn("last_seq", integer, (column) => column.notNull())
    .addColumn("bytes", integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex("operation_of_stack").on("operation").columns(["stack", "id"]).execute();
  await db.schema.createIndex("operation_in_state").on("operation").columns(["state", "id"]).execute();
  await db.schema.createIndex("operation_of_holder").on("operation").column("holder").execute();

  await table("event")
    .addColumn("operation", "text", (column) =>
      column.notNull().references("operation.id").onDelete("cascade"),
    )
    .addColumn("seq", integer, (column) => column.notNull())
    .addColumn("time", integer, (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("client", "text")
    .addColumn("body", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("event_key", ["operation", "seq"])
    .execute();
  // What a list tells of an operation, among all its lines.
  await db.schema
    .createIndex("event_of_outline")
    .on("event")
    .columns(["operation", "seq"])
    .where(sql.ref("kind"), "in", sql`('plan', 'wave', 'end')`)
    .execute();

  await table("operation_client")
    .addColumn("operation", "text", (column) =>
      column.notNull().references("operation.id").onDelete("cascade"),
    )
    .addColumn("client", "text", (column) => column.notNull())
    .addColumn("began", integer)
    .addColumn("ended", integer)
    .addColumn("outcome", "text")
    .addColumn("release", "text")
    .addPrimaryKeyConstraint("operation_client_key", ["operation", "client"])
    .execute();
  await db.schema
    .createIndex("operation_of_client")
    .on("operation_client")
    .columns(["client", "operation"])
    .execute();

  await numbered(table("turn"), "ticket")
    .addColumn("key", "text", (column) => column.notNull())
    .addColumn("holder", "text", (column) => column.notNull().references("holder.id"))
    .addColumn("what", "text", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("since", integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex("turn_of_key").on("turn").columns(["key", "ticket"]).execute();
  await db.schema.createIndex("turn_of_holder").on("turn").column("holder").execute();

  await numbered(table("certificate_request"), "id")
    .addColumn("domain", "text", (column) => column.notNull())
    .addColumn("server", "text", (column) => column.notNull())
    .addColumn("time", integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("certificate_request_time")
    .on("certificate_request")
    .columns(["server", "time"])
    .execute();
  await table("certificate_failure")
    .addColumn("request", integer, (column) => column.primaryKey().references("certificate_request.id"))
    .execute();

  await table("pace")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("sent", "text", (column) => column.notNull())
    .execute();

  await table("zone_refresh")
    .addColumn("zone", "text", (column) => column.primaryKey())
    .addColumn("began", integer, (column) => column.notNull())
    .execute();

  await table("journal_line")
    .addColumn("kind", "text", (column) => column.notNull().check(sql`kind in ('order', 'retirement')`))
    .addColumn("client", "text", (column) => column.notNull())
    .addColumn("line", integer, (column) => column.notNull())
    .addColumn("time", integer, (column) => column.notNull())
    .addColumn("event", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("journal_line_key", ["kind", "client", "line"])
    .execute();

  await numbered(table("audit"), "seq")
    .addColumn("time", integer, (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("values", "text", (column) => column.notNull())
    .execute();

  await table("imported")
    .addColumn("file", "text", (column) => column.primaryKey())
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("time", integer, (column) => column.notNull())
    .execute();

  for (const name of ["certificate_request", "certificate_failure", "journal_line", "audit"])
    await refuseChanges(db, engine, name);
}
