/** @module Releases kept on the operator's machine, one immutable folder each. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FleetError } from "../core/errors.ts";
import type { Release } from "../core/release/release.ts";

export interface ReleaseStore {
  readonly folder: string;
  /** `<id>/` holds release.json, compose.yml, suite/ and server/. */
  path(id: string): string;
  list(): Promise<string[]>;
  /** @throws FleetError `RELEASE_BROKEN` */
  read(id: string): Promise<Release | undefined>;
  /** Keeps a release; does nothing when it is there. `fill` copies suite and scripts into the folder given. */
  keep(release: Release, compose: string, fill: (folder: string) => Promise<void>): Promise<void>;
}

export function releaseStore(stateFolder: string): ReleaseStore {
  const folder = join(stateFolder, "releases");
  const path = (id: string) => join(folder, id);
  return { folder, path, list, read, keep };

  async function list(): Promise<string[]> {
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => /^[0-9a-f]{12}$/.test(name)).sort();
  }

  async function read(id: string): Promise<Release | undefined> {
    if (!existsSync(path(id))) return undefined;
    try {
      const release = JSON.parse(await readFile(join(path(id), "release.json"), "utf8")) as Release;
      if (release.id !== id || release.format !== 1)
        throw new Error(`it says id ${release.id}, format ${release.format}`);
      return release;
    } catch (error) {
      throw new FleetError("RELEASE_BROKEN", { release: id, store: folder, cause: (error as Error).message });
    }
  }

  async function keep(
    release: Release,
    compose: string,
    fill: (folder: string) => Promise<void>,
  ): Promise<void> {
    if (existsSync(path(release.id))) return;
    await mkdir(folder, { recursive: true });
    const partial = await mkdtemp(join(folder, `${release.id}.partial-`));
    try {
      await fill(partial);
      await writeFile(join(partial, "compose.yml"), compose);
      await writeFile(join(partial, "release.json"), `${JSON.stringify(release, null, 1)}\n`);
      await rename(partial, path(release.id)).catch((error: NodeJS.ErrnoException) => {
        // Another process was quicker with the same content.
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
}
