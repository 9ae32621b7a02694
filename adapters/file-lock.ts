/** @module One process at a time on a file; the lock of a process that died ends by itself after 20 s. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { lock } from "proper-lockfile";
import { FleetError } from "../core/errors.ts";

const waitMinutes = 10;

/**
 * Waits up to ten minutes for the lock.
 * @throws FleetError `LOCK_TAKEN`; `LOCK_LOST` when another process took it over while this one stood still
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
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
  try {
    const result = await work();
    if (lost) throw new FleetError("LOCK_LOST", { path, cause: lost.message });
    return result;
  } finally {
    if (!lost) await release();
  }
}
