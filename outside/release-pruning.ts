/** @module Removes from the operator's machine what no release that is kept needs: releases, scripts, images, what was half made. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FleetError } from "../core/errors.ts";
import type { Release } from "../core/release/release.ts";
import {
  abandonedBefore,
  namedByOperations,
  pinsIn,
  superfluous,
  unusedBefore,
} from "../core/release/retention.ts";
import { pruneImages } from "./images/image-builder.ts";
import { operationJournals } from "./operation-journals.ts";
import { releaseStore } from "./release-store.ts";
import { removeUnused, timeOf } from "./unused.ts";

export interface Machine {
  /** The operator's state and cache. */
  readonly state: string;
  readonly cache: string;
  /** Folder of the stack files. */
  readonly project: string;
}

export interface Pruned {
  readonly releases: number;
  readonly images: number;
  /** Of the images. */
  readonly bytes: number;
}

/**
 * `running`: releases that towns run. Two processes may do it at once, and others may make and deliver releases meanwhile.
 * @throws FleetError `RELEASE_BROKEN`: what such a release needs nobody knows
 */
export async function pruneReleases(
  { state, cache, project }: Machine,
  running: Iterable<string>,
  now = Date.now(),
): Promise<Pruned> {
  const store = releaseStore(state);
  const [unused, abandoned] = [unusedBefore(now), abandonedBefore(now)];
  const named = new Set([...running, ...(await pinned(project)), ...(await journaled(state))]);
  const held = await Promise.all(
    (await store.list()).map(async (id) => ({ id, lastUse: await timeOf(store.path(id)) })),
  );
  let releases = 0;
  for (const id of superfluous(held, named, now))
    if (await removeUnused(store.path(id), unused)) releases += 1;
  const kept = new Set(await store.list());
  const needed = (await Promise.all([...kept].map(store.peek))).filter((release) => release !== undefined);
  await pruneScripts(needed);
  for (const folder of ["releases", "scripts"])
    for (const name of await namesIn(folder, /\.partial-/))
      await removeUnused(join(state, folder, name), abandoned);
  for (const [folder, ending] of [
    ["checks", ""],
    ["origins", ".json"],
  ] as const)
    for (const name of await namesIn(folder, /^[0-9a-f]{12}(\.json)?$/))
      if (!kept.has(name.slice(0, 12)) && name.endsWith(ending))
        await removeUnused(join(state, folder, name), abandoned);
  return { releases, ...(await images()) };

  async function pruneScripts(releases: readonly Release[]): Promise<void> {
    const wanted = new Set(releases.map(({ scripts }) => scripts));
    for (const hash of await namesIn("scripts", /^[0-9a-f]+$/))
      if (!wanted.has(hash)) await removeUnused(store.scriptsPath(hash), unused);
  }

  async function images() {
    const wanted = needed.flatMap(({ services }) => Object.values(services).map(({ image }) => image));
    try {
      return await pruneImages(cache, new Set(wanted), unused, abandoned);
    } catch (error) {
      if (!(error instanceof FleetError && error.code === "LOCK_TAKEN")) throw error;
      return { images: 0, bytes: 0 };
    }
  }

  async function namesIn(folder: string, name: RegExp): Promise<string[]> {
    return (await readdir(join(state, folder)).catch(() => [])).filter((each) => name.test(each));
  }
}

async function pinned(project: string): Promise<string[]> {
  const files = (await readdir(project)).filter((name) => /^Pulumi\..+\.yaml$/.test(name));
  const texts = await Promise.all(files.map((name) => readFile(join(project, name), "utf8")));
  return texts.flatMap(pinsIn);
}

async function journaled(state: string): Promise<string[]> {
  const names = await readdir(join(state, "operations")).catch(() => []);
  const stacks = names.filter((name) => /^[A-Za-z0-9_]/.test(name));
  const named = await Promise.all(
    stacks.map(async (stack) => namedByOperations(await operationJournals(state, stack).list())),
  );
  return named.flatMap((each) => [...each]);
}
