/** @module One process at a time on a file; the lock of a process that died ends by itself after 20 s. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { lock } from "proper-lockfile";

/** Waits up to ten minutes for the lock. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const release = await lock(path, {
    realpath: false,
    stale: 20_000,
    update: 5_000,
    retries: { retries: 1200, minTimeout: 100, maxTimeout: 500, factor: 1.2 },
  });
  try {
    return await work();
  } finally {
    await release();
  }
}
