/** @module Where the store of one machine and its own copies lie. */
import { join } from "node:path";

/** Of its own, since SQLite keeps files beside its file, all for their owner alone. */
export function storeFolder(state: string): string {
  return join(state, "store");
}

export function storeFile(state: string): string {
  return join(storeFolder(state), "store.sqlite");
}

/** The newest copy, then the former ones. */
export function copyFiles(file: string): readonly [string, ...string[]] {
  const base = file.replace(/\.sqlite$/, "");
  return [`${base}.backup.sqlite`, `${base}.backup.1.sqlite`, `${base}.backup.2.sqlite`];
}
