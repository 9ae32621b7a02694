/** @module One process at a time on a file; the lock of a process that died ends by itself after 20 s. */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { lock } from "proper-lockfile";
import { FleetError } from "../core/errors.ts";

/** Fails where another process took the lock over: called immediately before each write. @throws FleetError `LOCK_LOST` */
export type Held = () => Promise<void>;

/**
 * Waits for the lock, ten minutes unless told otherwise.
 * @throws FleetError `LOCK_TAKEN`; `LOCK_LOST` when another process took it over while this one stood still
 */
export async function withFileLock<T>(
  path: string,
  work: (held: Held) => Promise<T>,
  waitMinutes = 10,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let lost: Error | undefined;
  const release = await lock(path, {
    realpath: false,
    stale: 20_000,
    update: 5_000,
    retries: { retries: waitMinutes * 120, minTimeout: 100, maxTimeout: 500, factor: 1.2 },
    // It is called by a timer: what it throws nobody could catch.
    onCompromised: (error) => {
      lost = error;
    },
  }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ELOCKED" ? new FleetError("LOCK_TAKEN", { path, minutes: waitMinutes }) : error;
  });
  const own = await birthOf(path);
  try {
    const result = await work(held);
    await held();
    return result;
  } finally {
    // The work's own error says more than one of the lock, which ends by itself.
    if (!lost && (await birthOf(path)) === own) await release().catch(() => {});
  }

  /** A process that stood still does not know yet what its timer would find. */
  async function held(): Promise<void> {
    if ((await birthOf(path)) !== own) lost = new Error("another process took the lock over");
    if (lost) throw lostLock(lost.message);
  }

  function lostLock(cause: string): FleetError {
    return new FleetError("LOCK_LOST", { path, cause });
  }
}

/** What tells one lock from the next: it is a folder, made anew by whoever takes it. */
async function birthOf(path: string): Promise<string> {
  const found = await stat(`${path}.lock`, { bigint: true }).catch(() => undefined);
  return found ? `${found.ino} ${found.birthtimeNs}` : "";
}
