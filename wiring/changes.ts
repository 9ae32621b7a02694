/** @module What towns would see of a rollout. */
import { type ReleaseChanges, releaseChanges } from "../core/rollout/changes.ts";
import { home } from "../outside/home.ts";
import { readKept } from "../outside/kept-release.ts";
import { releaseStore } from "../outside/release-store.ts";

export interface ClientChanges {
  readonly client: string;
  /** Release that runs; absent before the first installation. */
  readonly running?: string;
  readonly release: string;
  /** Absent before the first installation, and when the running release is not in the store. */
  readonly changes?: ReleaseChanges;
}

/** Of the clients whose release would change. */
export async function readChanges(
  targets: ReadonlyMap<string, string>,
  running: ReadonlyMap<string, string>,
): Promise<ClientChanges[]> {
  const store = releaseStore(home().state);
  const differing = [...targets].filter(([client, release]) => running.get(client) !== release);
  return Promise.all(
    differing.map(async ([client, release]) => {
      const former = running.get(client);
      if (former === undefined) return { client, release };
      const [before, after] = await Promise.all([readKept(store, former), readKept(store, release)]);
      const told = { client, running: former, release };
      return before && after ? { ...told, changes: releaseChanges(before, after) } : told;
    }),
  );
}
