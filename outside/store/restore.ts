/** @module A damaged store given back from its newest whole copy, with what its journals still tell of the time since. */
import { copyFile, readdir, readlink, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { syncFolder } from "../atomic-file.ts";
import { FleetError } from "../../core/errors.ts";
import { copiesOf, type Copy, problemsOf } from "./copy.ts";
import { storeFile } from "./places.ts";
import { appendOnly } from "./schema.ts";
import type { PresenceOptions } from "./presence.ts";
import { type OpenStore, openStore, type StorePlace } from "./store.ts";

export interface Restored {
  /** What it was restored from. */
  readonly copy: Copy;
  /** Where what was damaged is kept; absent when the file was gone. */
  readonly damaged?: string;
  /** Rows of the journals that are newer than the copy and could be read. */
  readonly rows: number;
}

/** Opens the store; a damaged one is restored first, and that is told. @throws FleetError as `openStore`, `STORE_NO_COPY` */
export async function openOrRestore(
  place: StorePlace,
  told: (restored: Restored) => void,
  options: Partial<PresenceOptions> = {},
): Promise<OpenStore> {
  try {
    return await openStore(place, options);
  } catch (error) {
    if (!(error instanceof FleetError) || error.code !== "STORE_DAMAGED" || place.url !== undefined)
      throw error;
    told(await restoreStore(place.state));
    return openStore(place, options);
  }
}

/** @throws FleetError `STORE_NO_COPY`, `STORE_IN_USE`; then nothing was changed */
export async function restoreStore(state: string): Promise<Restored> {
  const file = storeFile(state);
  const copy = (await copiesOf(state)).find((each) => problemsOf(each.file).length === 0);
  if (!copy) throw new FleetError("STORE_NO_COPY", { place: file });
  const pids = await openedBy(file);
  if (pids.length > 0) throw new FleetError("STORE_IN_USE", { place: file, pids: pids.join(", ") });
  const partial = `${file}.${process.pid}.partial`;
  await copyFile(copy.file, partial);
  const damaged = await setAside(file);
  await rename(partial, file);
  await syncFolder(dirname(file));
  const rows = damaged === undefined ? 0 : salvage(damaged, file);
  return { copy, rows, ...(damaged === undefined ? {} : { damaged }) };
}

async function setAside(file: string): Promise<string | undefined> {
  const moment = new Date().toISOString().replaceAll(/[-:]|\..*/g, "");
  const aside = file.replace(/\.sqlite$/, `.damaged-${moment}.sqlite`);
  let found: string | undefined;
  for (const end of ["", "-wal", "-shm"])
    await rename(`${file}${end}`, `${aside}${end}`).then(
      () => {
        found = aside;
      },
      (error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      },
    );
  return found;
}

/** Newest first, until one that the copy has, or one that cannot be read. */
function salvage(from: string, to: string): number {
  let rows = 0;
  const target = new DatabaseSync(to);
  try {
    for (const table of appendOnly) rows += newerRows(table, from, target);
  } finally {
    target.close();
  }
  return rows;
}

function newerRows(table: string, from: string, target: DatabaseSync): number {
  const found: Record<string, SQLInputValue>[] = [];
  try {
    const source = new DatabaseSync(from);
    try {
      const { newest } = target.prepare(`select coalesce(max(rowid), 0) as newest from ${table}`).get() ?? {};
      const query = source.prepare(`select * from ${table} where rowid > ? order by rowid desc`);
      for (const row of query.iterate(Number(newest))) found.push(row as Record<string, SQLInputValue>);
    } finally {
      source.close();
    }
  } catch {
    // What could not be read is lost; what was read before is kept.
  }
  let kept = 0;
  for (const row of found.reverse()) {
    const columns = Object.keys(row);
    const names = columns.map((name) => `"${name}"`).join(", ");
    const places = columns.map(() => "?").join(", ");
    const insert = `insert or ignore into ${table} (${names}) values (${places})`;
    kept += Number(target.prepare(insert).run(...Object.values(row)).changes);
  }
  return kept;
}

/** Processes that have the file open: they would go on with the one that is set aside. */
async function openedBy(file: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const folder = `/proc/${pid}/fd`;
      const links = await readdir(folder).catch(() => []);
      const targets = await Promise.all(links.map((link) => readlink(`${folder}/${link}`).catch(() => "")));
      return targets.includes(file) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
