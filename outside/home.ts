/** @module Where the operator's own state and caches live, outside the checkout. */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

export interface Home {
  /** State of the operator: releases, ledger of certificates. */
  readonly state: string;
  /** What can be built or fetched again. */
  readonly cache: string;
  /** Sockets; short, since a socket's path may have 107 characters. */
  readonly runtime: string;
}

export function home(env: NodeJS.ProcessEnv = process.env): Home {
  const user = homedir();
  const state = env.GEOCLIC_HOME ?? join(env.XDG_STATE_HOME ?? join(user, ".local/state"), "geoclic-fleet");
  const cache = join(env.XDG_CACHE_HOME ?? join(user, ".cache"), "geoclic-fleet");
  return { state, cache, runtime: runtimeOf(state, env.XDG_RUNTIME_DIR) };
}

/** Folder of Pulumi.yaml and the stack files: PULUMI_OPTION_CWD as for Pulumi itself, or the working folder. */
export function projectFolder(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.PULUMI_OPTION_CWD ?? ".");
}

/** A connection's socket adds 32 characters to it while ssh makes it. */
const longestRuntime = 107 - 32;

function runtimeOf(state: string, named: string | undefined): string {
  const own = join(state, "run");
  if (named === undefined && own.length <= longestRuntime) return own;
  // Operators on one machine (the lab's is one) have agents of their own.
  const key = createHash("sha256").update(state).digest("hex").slice(0, 8);
  return join(named ?? `/tmp/geoclic-fleet-${process.getuid?.() ?? 0}`, `geoclic-${key}`);
}
