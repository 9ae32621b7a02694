/** @module Brings a database to today's schema, once, whoever opens it first. */
import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { FleetError } from "../../core/errors.ts";
import type { Engine } from "./database.ts";
import { migrationNames, migrations } from "./migrations.ts";
import type { Schema } from "./schema.ts";

/** @throws FleetError `STORE_NEWER`, or the database's own error */
export async function migrate(db: Kysely<Schema>, engine: Engine, place: string): Promise<void> {
  const present = await appliedTo(db, engine);
  const newer = present.filter((name) => !migrationNames.includes(name));
  if (newer.length > 0) throw new FleetError("STORE_NEWER", { place, newer: newer.join(", ") });
  if (present.length === migrationNames.length) return;
  const { error } = await new Migrator({ db, provider: migrations(engine) }).migrateToLatest();
  if (error) throw error;
}

async function appliedTo(db: Kysely<Schema>, engine: Engine): Promise<string[]> {
  const known =
    engine === "sqlite"
      ? sql<{ name: string | null }>`select name from sqlite_master where name = 'kysely_migration'`
      : sql<{ name: string | null }>`select to_regclass('kysely_migration')::text as name`;
  const [found] = (await known.execute(db)).rows;
  if (!found?.name) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map(({ name }) => name);
}
