/** @module The suite's checkout, its adapter and the server's scripts: read, hashed, and kept as a release. */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { type Adapter, parseAdapter } from "../core/config/adapter.ts";
import type { FleetConfig } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import { makeRelease, type Release } from "../core/release/release.ts";
import { copyTree, readTree } from "./file-tree.ts";
import { home } from "./home.ts";
import { releaseStore, type WritableReleaseStore } from "./release-store.ts";
import { readSuiteSql } from "./suite-sql.ts";

/** Never sent to a client, whatever the adapter says. */
const neverSent = [
  "/fleet/",
  ".git/",
  ".github/",
  ".svn/",
  ".hg/",
  "node_modules/",
  "__pycache__/",
  ".venv/",
  ".env",
  ".env.*",
  "*.pem",
  "*.key",
  "id_rsa*",
  "id_ed25519*",
  "*.log",
  ".DS_Store",
];

const project = resolve(import.meta.dirname, "..");

/**
 * Every release that the stack's clients run: the one of the suite's present tree, made and kept when it is new,
 * and those that are pinned, from the store.
 * @throws FleetError `SUITE_UNREADABLE`, `ADAPTER_INVALID`, `COMPOSE_UNEXPECTED`, `SQL_…` or `RELEASE_UNKNOWN`
 */
export async function readReleases(config: FleetConfig): Promise<ReadonlyMap<string, Release>> {
  const store = releaseStore(home().state);
  const pinned = new Set(config.clients.map((client) => client.release ?? config.release ?? "present"));
  const releases = new Map<string, Release>();
  const present = pinned.has("present") || pinned.size === 0 ? await keepPresent(config, store) : undefined;
  if (present) releases.set("present", present);
  for (const id of pinned) {
    if (id === "present") continue;
    const release = await store.read(id);
    if (!release)
      throw new FleetError("RELEASE_UNKNOWN", {
        release: id,
        store: store.folder,
        present: present?.id ?? "not read, every client is pinned",
      });
    releases.set(id, release);
  }
  return releases;
}

/** Makes the release of the suite's present tree and keeps it in the store. */
export async function keepPresent(
  config: Pick<FleetConfig, "suite">,
  store: WritableReleaseStore,
): Promise<Release> {
  const suitePath = resolve(project, config.suite.path);
  const adapterFile = resolve(project, config.suite.adapter);
  const adapter = await readAdapter(adapterFile);
  try {
    const suite = await readTree(suitePath, [...neverSent, ...adapter.exclude]);
    const scriptsPath = join(project, "assets/server");
    const scripts = await readTree(scriptsPath, ["__pycache__/", "/tests/", "/harness/"]);
    const { release, compose } = makeRelease({
      adapter,
      compose: await readFile(join(suitePath, adapter.compose), "utf8"),
      suite,
      sql: await readSuiteSql(suitePath, suite, adapter),
      scripts,
      hookScripts: await readHooks(adapter, adapterFile),
      version: (await readFile(join(suitePath, "VERSION"), "utf8").catch(() => "")).trim(),
      imagesAsOf: config.suite.imagesAsOf,
    });
    await store.keepScripts(release.scripts, (folder) => copyTree(scriptsPath, scripts, folder));
    await store.keep(release, compose, (folder) => copyTree(suitePath, suite, join(folder, "suite")));
    return release;
  } catch (error) {
    if (error instanceof FleetError) throw error;
    throw new FleetError("SUITE_UNREADABLE", { path: suitePath, cause: (error as Error).message });
  }
}

async function readAdapter(file: string): Promise<Adapter> {
  try {
    return parseAdapter(parseYaml(await readFile(file, "utf8")), file);
  } catch (error) {
    if (error instanceof FleetError) throw error;
    throw new FleetError("ADAPTER_INVALID", { file, problems: (error as Error).message });
  }
}

async function readHooks(adapter: Adapter, file: string): Promise<Record<string, string>> {
  const read = async ([name, { script }]: [string, { script: string }]) => {
    const text = await readFile(join(dirname(file), script), "utf8").catch((error: Error) => {
      throw new FleetError("ADAPTER_INVALID", { file, problems: `hooks.${name}.script: ${error.message}` });
    });
    return [script, text] as const;
  };
  return Object.fromEntries(await Promise.all(Object.entries(adapter.hooks).map(read)));
}
