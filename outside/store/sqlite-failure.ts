/** @module SQLite's failures as ours. Numbers: sqlite.org/rescode.html. */
import { FleetError } from "../../core/errors.ts";

const busy = [5, 6];
const damaged = [11, 26];
const full = 13;
const unusable = [3, 8, 10, 14, 23];

function codeOf(error: unknown): number | undefined {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // The upper bits say which kind of the failure it was.
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode & 0xff : undefined;
}

export function isSqliteBusy(error: unknown): boolean {
  return busy.includes(codeOf(error) ?? 0);
}

/** What is none of the database's states is a defect, and stays as it is. */
export function sqliteFailure(error: unknown, file: string): unknown {
  const code = codeOf(error) ?? 0;
  const cause = (error as Error).message;
  if (busy.includes(code)) return new FleetError("STORE_BUSY", { place: file });
  if (damaged.includes(code)) return new FleetError("STORE_DAMAGED", { place: file, cause });
  if (code === full || isNoSpace(error)) return new FleetError("STORE_FULL", { place: file });
  if (unusable.includes(code) || isRefusedFile(error))
    return new FleetError("STORE_UNUSABLE", { place: file, cause });
  return error;
}

function isNoSpace(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes(String((error as NodeJS.ErrnoException).code));
}

function isRefusedFile(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST"].includes(
    String((error as NodeJS.ErrnoException).code),
  );
}
