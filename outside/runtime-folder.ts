/**
 * @module The folder of the agent's socket and of connections. Whoever could exchange it would be sent the fleet's key, so that
 * it is used only where no other account can write: its own right, and that of each folder above it.
 */
import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { FleetError } from "../core/errors.ts";
import { home } from "./home.ts";

/** @throws FleetError `RUNTIME_UNSAFE` when another account could put something else in its place */
export async function ensureRuntimeFolder(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { runtime } = home(env);
  const uid = process.getuid?.() ?? 0;
  await mkdir(runtime, { recursive: true, mode: 0o700 });
  const own = await lstat(runtime);
  if (!own.isDirectory()) throw unsafe(runtime, "it is no folder");
  if (own.uid !== uid) throw unsafe(runtime, `it belongs to account ${own.uid}, not to ${uid}`);
  if ((own.mode & 0o077) !== 0) await chmod(runtime, 0o700);
  for (const path of new Set([...above(runtime), ...above(await realpath(runtime))])) {
    const problem = openTo(await lstat(path), uid, process.getgid?.() ?? 0);
    if (problem) throw unsafe(path, problem);
  }
  return runtime;
}

/** Why accounts other than root and this one could exchange what lies in a folder; `undefined` when none can. */
export function openTo(
  { uid: owner, gid: group, mode }: Pick<Stats, "uid" | "gid" | "mode">,
  uid: number,
  gid: number,
): string | undefined {
  if (owner !== 0 && owner !== uid) return `it belongs to account ${owner}`;
  const isLink = (mode & 0o170000) === 0o120000;
  // In a sticky folder only the owner of an entry may exchange it.
  if (isLink || (mode & 0o1000) !== 0) return undefined;
  if ((mode & 0o002) !== 0) return "every account may write in it";
  // A group of one's own has nobody else in it.
  if ((mode & 0o020) !== 0 && group !== 0 && group !== gid) return `group ${group} may write in it`;
  return undefined;
}

function above(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...above(parent)];
}

function unsafe(folder: string, cause: string): FleetError {
  return new FleetError("RUNTIME_UNSAFE", { folder, cause });
}
