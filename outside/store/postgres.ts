/** @module The store in a PostgreSQL database, for the processes of several machines. */
import { Kysely, PostgresDialect, sql } from "kysely";
import pg from "pg";
import { FleetError } from "../../core/errors.ts";
import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { isPostgresRepeatable, postgresFailure } from "./postgres-failure.ts";
import type { Schema } from "./schema.ts";

const repeats = 5;
/** PostgreSQL's number for the type `bigint`, which pg gives as text: ours are moments and counts, far below 2^53. */
const bigint = 20;

/** `url`: `postgres://…`. @throws FleetError `STORE_UNREACHABLE`, `STORE_BUSY`, `STORE_NEWER`, `STORE_FULL`, `STORE_UNUSABLE` */
export async function openPostgres(url: string): Promise<Database> {
  const place = withoutPassword(url);
  const pool = new pg.Pool({
    connectionString: url,
    max: 4,
    application_name: "geoclic-fleet",
    connectionTimeoutMillis: 10_000,
    lock_timeout: 20_000,
    // A process that stands still in a transaction holds nobody up for ever.
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
    allowExitOnIdle: true,
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === bigint ? Number : pg.types.getTypeParser(oid, format as "text"),
    },
  });
  // A connection that rests and is cut: the next question opens another one.
  pool.on("error", () => {});
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  const told = <T>(work: () => Promise<T>) => repeatedly(work, place);
  const database: Database = {
    engine: "postgres",
    place,
    isOneMachine: false,
    now: () => sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
    run: (work) => told(() => work(db)),
    exclusively: (key, work) =>
      told(() =>
        db.transaction().execute(async (transaction) => {
          await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 7))`.execute(transaction);
          return work(transaction);
        }),
      ),
    close: () => db.destroy(),
  };
  try {
    await told(() => migrate(db, "postgres", place));
    return database;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

/** What PostgreSQL undid because of others is done again. */
async function repeatedly<T>(work: () => Promise<T>, place: string): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FleetError) throw error;
      if (!isPostgresRepeatable(error) || attempt === repeats) throw postgresFailure(error, place);
    }
  }
}

export function withoutPassword(url: string): string {
  try {
    const shown = new URL(url);
    shown.password = "";
    // Options may carry one too.
    shown.search = "";
    return shown.href;
  } catch {
    return "postgres://…";
  }
}
