/** @module The suite's files of SQL, from disk, by PostgreSQL's own parser (its source compiled to WebAssembly). */
import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import type { Adapter } from "../core/config/adapter.ts";
import { migrationFiles, readFiles, type SqlParser, SqlSyntax, type SuiteSql } from "../core/release/sql.ts";
import type { TreeEntry } from "../core/release/tree.ts";

/** @throws FleetError `SQL_…`, for what no server may run */
export async function readSuiteSql(
  root: string,
  suite: readonly TreeEntry[],
  adapter: Adapter,
): Promise<SuiteSql> {
  const paths = suite.map(({ path }) => path);
  const { migrations, passedOver } = migrationFiles(adapter, paths);
  const [init, demo] = [posix.normalize(adapter.database.init), posix.normalize(adapter.demo.file)];
  const wanted = [init, ...migrations, demo].filter((path) => paths.includes(path));
  const contents: Record<string, Uint8Array> = {};
  for (const path of wanted) contents[path] = await readFile(join(root, path));
  return { files: readFiles(contents, adapter, await sqlParser()), passedOver };
}

/** Loaded when it is needed: 1.7 MB that most commands never read. */
export async function sqlParser(): Promise<SqlParser> {
  const { loadModule, parseSync, hasSqlDetails } = await import("libpg-query");
  await loadModule();
  return (text) => {
    try {
      const bytes = Buffer.byteLength(text);
      return (parseSync(text).stmts ?? []).map(({ stmt, stmt_location: start = 0, stmt_len: length }) => {
        const [kind = "", node = {}] = Object.entries<object>(stmt ?? {})[0] ?? [];
        return { kind, node: { ...node }, start, end: length ? start + length : bytes };
      });
    } catch (error) {
      if (hasSqlDetails(error)) throw new SqlSyntax(error.message, error.sqlDetails?.cursorPosition ?? 0);
      throw new SqlSyntax((error as Error).message, 0);
    }
  };
}
