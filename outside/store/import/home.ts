/**
 * @module Takes over what the files of an operator's home hold. The files stay as they are, readable; what was taken over once
 * is not taken over again, and what an older program added to them since is.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FleetError } from "../../../core/errors.ts";
import type { Database } from "../database.ts";
import { importCertificates, importPace, importZone } from "./budgets.ts";
import { importJournal } from "./client-journal.ts";
import { homeFiles } from "./home-files.ts";
import { importOperation } from "./operation.ts";
import { Unreadable } from "./unreadable.ts";

export interface Imported {
  /** Paths in the home of what was taken over now. */
  readonly files: readonly string[];
  /** Operations that still run under an older program: the next import takes them. */
  readonly left: readonly string[];
}

/** @throws FleetError `IMPORT_HOME` for a file that cannot be understood; what came before it is taken over, nothing of it */
export async function importHome(state: string, database: Database): Promise<Imported> {
  const known = new Map(
    (await database.run((db) => db.selectFrom("imported").select(["file", "digest"]).execute())).map(
      ({ file, digest }) => [file, digest],
    ),
  );
  const files: string[] = [];
  const left: string[] = [];
  for (const { file, isWrittenOnce, take } of await homeFiles(state, {
    operation: importOperation,
    journal: importJournal,
    certificates: importCertificates,
    pace: importPace,
    zone: importZone,
  })) {
    // Journals of operations are many; one that has ended is not written again.
    if (isWrittenOnce && known.has(file)) continue;
    const text = await readFile(join(state, file), "utf8");
    const digest = createHash("sha256").update(text).digest("hex");
    if (known.get(file) === digest) continue;
    const isTaken = await database.exclusively(`import ${file}`, async (db) => {
      if (!(await taken(file, () => take(db, text)))) return false;
      const row = { digest, time: Date.now() };
      await db
        .insertInto("imported")
        .values({ file, ...row })
        .onConflict((conflict) => conflict.column("file").doUpdateSet(row))
        .execute();
      return true;
    });
    (isTaken ? files : left).push(file);
  }
  return { files, left };
}

async function taken(file: string, take: () => Promise<boolean>): Promise<boolean> {
  try {
    return await take();
  } catch (error) {
    if (error instanceof Unreadable) throw new FleetError("IMPORT_HOME", { file, cause: error.message });
    throw error;
  }
}
