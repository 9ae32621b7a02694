/** @module The store in one file of the operator's home, for the processes of one machine. */
import { existsSync } from "node:fs";
import { chmod, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { Kysely, sql } from "kysely";
import { syncFolder } from "../atomic-file.ts";
import { FleetError } from "../../core/errors.ts";
import type { Database } from "./database.ts";
import { migrate } from "./migrate.ts";
import { copyFiles } from "./places.ts";
import type { Schema } from "./schema.ts";
import { nodeSqliteDialect } from "./sqlite-dialect.ts";
import { isSqliteBusy, sqliteFailure } from "./sqlite-failure.ts";

/** Who waits asks often at first: writing takes others some milliseconds, and who asks seldom would always come too late. */
const pauses = { often: 2, times: 100, seldom: 20 } as const;

/**
 * `patience`: milliseconds for which others are waited for.
 * @throws FleetError `STORE_DAMAGED`, `STORE_BUSY`, `STORE_NEWER`, `STORE_FULL`, `STORE_UNUSABLE`
 */
export async function openSqlite(file: string, patience = 20_000): Promise<Database> {
  const told = <T>(work: () => Promise<T>) => patiently(work, file, patience);
  const connection = await told(() => connect(file));
  const db = new Kysely<Schema>({ dialect: nodeSqliteDialect(connection) });
  const database: Database = {
    engine: "sqlite",
    place: file,
    isOneMachine: true,
    now: () => sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    run: (work) => told(() => work(db)),
    exclusively: (_key, work) => told(() => db.transaction().execute(work)),
    close: () => db.destroy(),
  };
  try {
    await told(() => migrate(db, "sqlite", file));
    return database;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function connect(file: string): Promise<DatabaseSync> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const isNew = ((await stat(file).catch(() => undefined))?.size ?? 0) === 0;
  // An empty store in its place would have forgotten what was bought.
  if (isNew && copyFiles(file).some((copy) => existsSync(copy)))
    throw new FleetError("STORE_DAMAGED", {
      place: file,
      cause: "it is gone or empty, and its copies are there",
    });
  // SQLite gives the files beside it the same rights.
  await (await open(file, "a", 0o600)).close();
  await chmod(file, 0o600);
  const database = new DatabaseSync(file, {
    // SQLite's own waiting would have this process stand still.
    timeout: 0,
    enableForeignKeyConstraints: true,
  });
  try {
    database.exec("pragma journal_mode = wal; pragma synchronous = full; pragma recursive_triggers = on");
  } catch (error) {
    database.close();
    throw error;
  }
  if (isNew) await syncFolder(folder);
  return database;
}

/** A transaction that could not begin has done nothing, and is begun again. */
async function patiently<T>(work: () => Promise<T>, file: string, patience: number): Promise<T> {
  const end = performance.now() + patience;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof FleetError) throw error;
      if (!isSqliteBusy(error) || performance.now() > end) throw sqliteFailure(error, file);
      await setTimeout(Math.random() * (attempt < pauses.times ? pauses.often : pauses.seldom));
    }
  }
}
