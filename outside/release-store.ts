/** @module Releases kept on the operator's machine, one immutable folder each; the server's scripts beside them. */
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FleetError } from "../core/errors.ts";
import { isReleaseId } from "../core/naming.ts";
import type { ReleaseStore } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";
import { type ReleaseOrigins, releaseOrigins } from "./release-origins.ts";
import { use } from "./unused.ts";

export interface WritableReleaseStore extends ReleaseStore {
  /** As `read`, which notes that the release is in use; this does not. */
  peek(id: string): Promise<Release | undefined>;
  readonly origins: ReleaseOrigins;
  /** Keeps a release, whose suite `fill` copies into the folder given; does nothing when it is there. */
  keep(release: Release, compose: string, fill: (folder: string) => Promise<void>): Promise<void>;
  /** Keeps the server's scripts of one hash; does nothing when they are there. */
  keepScripts(hash: string, fill: (folder: string) => Promise<void>): Promise<void>;
}

export function releaseStore(stateFolder: string): WritableReleaseStore {
  const folder = join(stateFolder, "releases");
  const path = (id: string) => join(folder, id);
  const scriptsPath = (hash: string) => join(stateFolder, "scripts", hash);
  const origins = releaseOrigins(stateFolder);
  return { folder, origins, path, scriptsPath, list, read, peek, keep, keepScripts };

  async function list(): Promise<string[]> {
    const names = await readdir(folder).catch(() => []);
    return names.filter((name) => isReleaseId(name)).sort();
  }

  async function read(id: string): Promise<Release | undefined> {
    return (await use(path(id))) ? peek(id) : undefined;
  }

  async function peek(id: string): Promise<Release | undefined> {
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
    await keepFolder(path(release.id), async (partial) => {
      await fill(partial);
      await writeFile(join(partial, "compose.yml"), compose);
      await writeFile(join(partial, "release.json"), `${JSON.stringify(release, null, 1)}\n`);
    });
  }

  async function keepScripts(hash: string, fill: (folder: string) => Promise<void>): Promise<void> {
    await keepFolder(scriptsPath(hash), fill);
  }

  async function keepFolder(target: string, fill: (folder: string) => Promise<void>): Promise<void> {
    if (await use(target)) return;
    await mkdir(dirname(target), { recursive: true });
    const partial = await mkdtemp(`${target}.partial-`);
    try {
      await chmod(partial, 0o755);
      await fill(partial);
      await rename(partial, target).catch((error: NodeJS.ErrnoException) => {
        // Another process was quicker with the same content.
        if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
      });
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
}
