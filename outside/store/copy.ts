/** @module The store's own copies: made whole or not at all, and only of a store that is whole. */
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { syncFolder } from "../atomic-file.ts";
import { FleetError } from "../../core/errors.ts";
import { copyFiles, storeFile } from "./places.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

const dayMilliseconds = 86_400_000;

export interface Copy {
  readonly file: string;
  /** When it was made, in milliseconds since 1970. */
  readonly time: number;
}

/** Others may write meanwhile. @throws FleetError `STORE_DAMAGED`, `STORE_FULL`; then the former copies are as they were */
export async function copyStore(state: string): Promise<Copy> {
  const file = storeFile(state);
  const [newest, ...former] = copyFiles(file);
  const partial = `${newest}.${process.pid}.partial`;
  try {
    vacuumInto(file, partial);
    const problems = problemsOf(partial);
    if (problems.length > 0)
      throw new FleetError("STORE_DAMAGED", { place: file, cause: problems.slice(0, 3).join("; ") });
    await synced(partial);
    const files = [newest, ...former];
    for (let at = files.length - 1; at > 0; at -= 1)
      await rename(files[at - 1] ?? "", files[at] ?? "").catch(absent);
    await rename(partial, newest);
    await syncFolder(dirname(newest));
    return { file: newest, time: (await stat(newest)).mtimeMs };
  } catch (error) {
    throw sqliteFailure(error, file);
  } finally {
    await rm(partial, { force: true });
  }
}

/** Once a day. @returns the copy, if one was made */
export async function copyStoreIfDue(state: string, now = Date.now()): Promise<Copy | undefined> {
  const [newest] = await copiesOf(state);
  // A copy of the future is a clock's that went wrong.
  const isFresh = newest !== undefined && Math.abs(now - newest.time) < dayMilliseconds;
  return isFresh ? undefined : copyStore(state);
}

/** Newest first; whether they are whole is not looked at. */
export async function copiesOf(state: string): Promise<Copy[]> {
  const found = await Promise.all(
    copyFiles(storeFile(state)).map(async (file) => {
      const { mtimeMs: time } = (await stat(file).catch(absent)) ?? {};
      return time === undefined ? [] : [{ file, time }];
    }),
  );
  return found.flat();
}

/** What SQLite finds wrong in a file; empty where it is whole. The whole file is read. */
export function problemsOf(file: string): string[] {
  try {
    const database = new DatabaseSync(file, { readOnly: true });
    try {
      const found = [
        ...database.prepare("pragma integrity_check").all(),
        ...database.prepare("pragma foreign_key_check").all(),
      ];
      return found.map((row) => Object.values(row).join(" ")).filter((problem) => problem !== "ok");
    } finally {
      database.close();
    }
  } catch (error) {
    return [(error as Error).message];
  }
}

function vacuumInto(file: string, copy: string): void {
  const database = new DatabaseSync(file, { timeout: 5_000 });
  try {
    database.prepare("vacuum into ?").run(copy);
  } finally {
    database.close();
  }
}

async function synced(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.chmod(0o600);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
