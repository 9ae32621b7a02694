/** @module One change of the lab at a time on a machine. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const LOCK = "/run/geoclic-lab.lock";

/** Runs `work` alone; waits while another process, still alive, holds the lock. */
export async function withLock<T>(work: () => Promise<T>): Promise<T> {
  while (!(await tryLock())) await sleep(200);
  try {
    return await work();
  } finally {
    await rm(LOCK, { force: true });
  }
}

async function tryLock(): Promise<boolean> {
  try {
    await writeFile(LOCK, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const holder = Number(await readFile(LOCK, "utf8").catch(() => ""));
  if (holder > 0 && !isAlive(holder)) await rm(LOCK, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
