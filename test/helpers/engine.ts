/** @module Kills Pulumi's engine in the middle of its work, as a machine that dies does. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/**
 * `state`: folder of the file backend. The engine is found by the stack's lock.
 * @returns a function that ends what the engine left: plugins and what they run
 */
export async function killEngine(state: string, stack: string): Promise<() => void> {
  const engine = await lockHolder(join(state, ".pulumi/locks/organization/geoclic-fleet", stack));
  const orphans = await childrenOf(engine);
  process.kill(engine, "SIGKILL");
  return () => orphans.forEach(end);
}

async function lockHolder(locks: string): Promise<number> {
  // Beside the lock is a file of its attributes.
  const name = (await readdir(locks)).find((file) => file.endsWith(".json"));
  if (name === undefined) throw new Error(`no run holds a lock in ${locks}`);
  return (JSON.parse(await readFile(join(locks, name), "utf8")) as { pid: number }).pid;
}

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await execa("ps", ["-o", "pid=", "--ppid", String(pid)], { reject: false });
  const children = stdout.split("\n").map(Number).filter(Boolean);
  return [...children, ...(await Promise.all(children.map(childrenOf))).flat()];
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
