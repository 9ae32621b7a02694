/**
 * @module The store that everything on one machine, or on several, shares: types only. `outside/store` fulfils it with SQLite
 * and with PostgreSQL. Moments are milliseconds since 1970.
 */
import type { AcmeLedger } from "../ports.ts";
import type { Operations } from "./operations.ts";
import type { Turns } from "./turns.ts";

/** Requests to an API, counted over everybody who shares the store. */
export interface Pace {
  /** Books the next free moment of a minute's budget. @returns milliseconds until then */
  book(name: string, perMinute: number): Promise<number>;
}

export interface ZoneRefreshes {
  /**
   * Runs `refresh` unless one began at or after `since`; waits for one that is under way.
   * @returns whether it was run
   */
  refresh(zone: string, since: number, refresh: () => Promise<void>): Promise<boolean>;
}

/** What may never be forgotten about a client. */
export type JournalKind = "order" | "retirement";

export interface JournalLine {
  readonly client: string;
  /** From 1 in each journal, without a gap. */
  readonly line: number;
  readonly time: number;
  readonly event: Readonly<Record<string, unknown>>;
}

/** Lines are added, never changed nor removed: the database itself refuses it. */
export interface Journals {
  add(kind: JournalKind, client: string, event: object): Promise<void>;
  read(kind: JournalKind, client: string): Promise<JournalLine[]>;
  /** Lines of every client, by client and line. */
  all(kind: JournalKind): Promise<JournalLine[]>;
}

export interface AuditEntry {
  readonly actor: string;
  readonly action: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly seq: number;
  readonly time: number;
}

export interface Audit {
  add(entry: AuditEntry): Promise<void>;
  /** Newest first. `before`: a number; those older than it. */
  page(question?: { readonly before?: number; readonly limit?: number }): Promise<StoredAuditEntry[]>;
}

export interface Store {
  /** For messages: the file, or the address without its password. */
  readonly place: string;
  readonly operations: Operations;
  readonly turns: Turns;
  readonly certificates: AcmeLedger;
  readonly pace: Pace;
  readonly zones: ZoneRefreshes;
  readonly journals: Journals;
  readonly audit: Audit;
  close(): Promise<void>;
}
