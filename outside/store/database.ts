/** @module A database as the parts of the store see it, whichever it is. */
import type { Kysely, RawBuilder, Transaction } from "kysely";
import type { Schema } from "./schema.ts";

export type Engine = "sqlite" | "postgres";

export interface Database {
  readonly engine: Engine;
  /** For messages: the file, or the address without its password. */
  readonly place: string;
  /** Only processes of one machine can reach it. */
  readonly isOneMachine: boolean;
  /** Its clock, as an expression: milliseconds since 1970. */
  now(): RawBuilder<number>;
  /** Runs what only reads, or what one statement changes. @throws FleetError of the store */
  run<T>(work: (db: Kysely<Schema>) => Promise<T>): Promise<T>;
  /**
   * One transaction, on the disk when it returns; of those with one key, one at a time over all processes.
   * `work` uses what it is given, and nothing else of the database.
   * @throws FleetError of the store, or what `work` throws
   */
  exclusively<T>(key: string, work: (db: Transaction<Schema>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
