/** @module Kysely's own dialect of SQLite over Node's `node:sqlite`, which it does not know. */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  CompiledQuery,
  type DatabaseConnection,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
} from "kysely";

export function nodeSqliteDialect(database: DatabaseSync): SqliteDialect {
  return new NodeSqliteDialect(database);
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: asBetterSqlite(database) });
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#database);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: asBetterSqlite(database) });
    this.#database = database;
  }

  /** A transaction that only finds out when it writes that somebody else did would have to be begun anew. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** On a full disk SQLite has taken back everything by itself; to ask for it again would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** Two processes that open a new store at once: the second waits for the first one's migration, and has nothing to do. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Kysely asks for the shape of better-sqlite3. Statements are kept: most are asked again and again. */
function asBetterSqlite(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, StatementSync>();
  return { close: () => database.close(), prepare };

  function prepare(sql: string) {
    const known = kept.get(sql);
    const statement = known ?? database.prepare(sql);
    if (!known && kept.size < 200) kept.set(sql, statement);
    const values = (given: readonly unknown[]) => given as SQLInputValue[];
    return {
      reader: statement.columns().length > 0,
      all: (given: readonly unknown[]) => statement.all(...values(given)),
      run: (given: readonly unknown[]) => statement.run(...values(given)),
      iterate: (given: readonly unknown[]) => statement.iterate(...values(given)),
    };
  }
}
