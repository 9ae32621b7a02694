/** @module A release of the store with what a comparison needs: its effective compose file and the names of its migrations. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ReleaseStore } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";
import type { KeptRelease } from "../core/rollout/changes.ts";

/** `undefined` when the store does not hold it. @throws FleetError `RELEASE_BROKEN` */
export async function readKept(store: ReleaseStore, id: string): Promise<KeptRelease | undefined> {
  const release = await store.read(id);
  if (!release) return undefined;
  return {
    release,
    compose: await readFile(join(store.path(id), "compose.yml"), "utf8"),
    migrations: await readMigrations(store, release),
  };
}

/** Names, sorted. */
export async function readMigrations(
  store: Pick<ReleaseStore, "path">,
  { id, adapter }: Pick<Release, "id" | "adapter">,
): Promise<string[]> {
  const names = await readdir(join(store.path(id), "suite", adapter.database.migrations)).catch(() => []);
  return names.filter((name) => name.endsWith(".sql")).sort();
}
