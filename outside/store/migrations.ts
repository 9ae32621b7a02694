/** @module The store's schema, from an empty database to today's. What was released is never changed: a new one is added. */
import type { Kysely } from "kysely";
import type { Migration, MigrationProvider } from "kysely/migration";
import { firstTables } from "./migrations/first-tables.ts";
import type { Engine } from "./database.ts";

/** In their order; the names are kept in the store. */
const all: Readonly<Record<string, (db: Kysely<never>, engine: Engine) => Promise<void>>> = {
  "0001-first-tables": firstTables,
};

export const migrationNames: readonly string[] = Object.keys(all).sort();

export function migrations(engine: Engine): MigrationProvider {
  return {
    getMigrations: async () =>
      Object.fromEntries(
        Object.entries(all).map(([name, up]): [string, Migration] => [
          name,
          { up: (db) => up(db as Kysely<never>, engine) },
        ]),
      ),
  };
}
