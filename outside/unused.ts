/** @module What is used notes it by its own time; what was not used for long is removed, whoever may begin to use it meanwhile. */
import { randomBytes } from "node:crypto";
import { rename, rm, stat, utimes } from "node:fs/promises";

/** Notes that a file or folder is in use. @returns whether it is there */
export function use(path: string): Promise<boolean> {
  const now = new Date();
  return utimes(path, now, now).then(
    () => true,
    // Somebody else's, or on a disk that nobody may write to: it is there all the same.
    ({ code }: NodeJS.ErrnoException) => code !== "ENOENT",
  );
}

/**
 * Removes a file or folder that was not used since a time, milliseconds since 1970. Who uses it meanwhile keeps it, or finds it
 * gone at once; nobody finds half of it.
 * @returns whether it was removed
 */
export async function removeUnused(path: string, since: number): Promise<boolean> {
  if (!((await timeOf(path)) < since)) return false;
  const gone = `${path}.partial-${randomBytes(4).toString("hex")}`;
  try {
    await rename(path, gone);
  } catch (error) {
    // Another process was quicker.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
  const isUsed = (await timeOf(gone)) >= since;
  const isBack = isUsed && (await rename(gone, path).then(() => true, madeAgain));
  if (!isBack) await rm(gone, { recursive: true, force: true });
  return !isUsed;
}

/** When it was last used, milliseconds since 1970; NaN where it is not there. */
export async function timeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? Number.NaN;
}

/** Somebody found it gone, and made it anew. */
function madeAgain(error: NodeJS.ErrnoException): boolean {
  if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  return false;
}
