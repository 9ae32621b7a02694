/** @module The suite's checkout, its adapter and the server's scripts: read, hashed, and kept as a release. */
import { open, readFile } from "node:fs/promises";
import { dirname, join, posix, resolve } from "node:path";
import ignore from "ignore";
import { parse as parseYaml } from "yaml";
import { type Adapter, parseAdapter } from "../core/config/adapter.ts";
import type { FleetConfig } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import { makeRelease, type Release } from "../core/release/release.ts";
import type { TreeEntry } from "../core/release/tree.ts";
import { copyTree, readTree } from "./file-tree.ts";
import { home } from "./home.ts";
import { releaseStore, type WritableReleaseStore } from "./release-store.ts";
import { type SuiteHistory, suiteHistory } from "./suite-history.ts";
import { readSuiteSql } from "./suite-sql.ts";

/** In no plain checkout, or of no use to a town, whatever the adapter says. */
const leftovers = [
  ".git",
  ".svn/",
  ".hg/",
  "node_modules/",
  "__pycache__/",
  ".venv/",
  ".DS_Store",
  "/.github/",
  "/fleet/",
];

/** Names under which people keep secrets; the keys of other names are known by what is in them. */
const secretName =
  /^(\.env|\.env\.local|\.env\..+\.local|\.netrc|\.pgpass|id_(rsa|dsa|ecdsa|ed25519)|.+\.(p12|pfx))$/i;
const keyName = /\.(key|pem)$/i;

/** Servers run what has no ending, the modules and the units: what an editor or a tool leaves among them is no new set of scripts. */
const besidesScripts = [
  ...["*.*", "*~", "__pycache__/", "/tests/", "/harness/"],
  ...["!/run.py", "!/geoclic_server/*.py", "!/units/*.service", "!/units/*.timer", ".*"],
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

/**
 * Makes the release of the suite's present tree and keeps it in the store: what a plain checkout holds, without what belongs
 * to a machine. `onLeftOut` gets the paths that are not in it, folders with a `/`.
 * @throws FleetError `SUITE_UNREADABLE`, `SUITE_SECRETS`, `ADAPTER_INVALID`, or of the compose file
 */
export async function keepPresent(
  config: Pick<FleetConfig, "suite">,
  store: WritableReleaseStore,
  onLeftOut?: (paths: readonly string[]) => void,
): Promise<Release> {
  const suitePath = resolve(project, config.suite.path);
  const adapterFile = resolve(project, config.suite.adapter);
  const adapter = await readAdapter(adapterFile);
  try {
    const history = await suiteHistory(suitePath);
    const leftOut: string[] = [];
    const suite = await readTree(
      suitePath,
      // The adapter has the last word: `!/app/.env` sends it.
      [...leftovers, ...ofMachines(adapter), ...(history?.ignored ?? []).map(literally), ...adapter.exclude],
      (path) => leftOut.push(path),
    );
    await refuseSecrets(suitePath, adapter, suite, history);
    onLeftOut?.(leftOut);
    const scriptsPath = join(project, "assets/server");
    const scripts = await readScripts(scriptsPath);
    const { release, compose } = makeRelease({
      adapter,
      compose: await readCompose(join(suitePath, adapter.compose)),
      suite,
      sql: await readSuiteSql(suitePath, suite, adapter),
      scripts,
      hookScripts: await readHooks(adapter, adapterFile),
      version: (await readFile(join(suitePath, "VERSION"), "utf8").catch(() => "")).trim(),
      imagesAsOf: config.suite.imagesAsOf,
    });
    await store.keepScripts(release.scripts, (folder) => copyTree(scriptsPath, scripts, folder));
    await store.keep(release, compose, (folder) => copyTree(suitePath, suite, join(folder, "suite")));
    if (history?.origin)
      await store.origins.note(release.id, { ...history.origin, at: new Date().toISOString() });
    return release;
  } catch (error) {
    if (error instanceof FleetError) throw error;
    throw new FleetError("SUITE_UNREADABLE", { path: suitePath, cause: (error as Error).message });
  }
}

/** The server's scripts: the same wherever and whenever they are read, or every step of every town would run again. */
export function readScripts(folder: string): Promise<TreeEntry[]> {
  return readTree(folder, besidesScripts);
}

/** Where a machine's own secrets and logs are: they are made on each server. */
function ofMachines({ compose, binds }: Adapter): string[] {
  const folder = posix.dirname(compose);
  const own = Object.entries(binds).flatMap(([source, kind]) =>
    (kind === "tls" || kind === "logs") && !source.includes("$") ? [posix.join(folder, source)] : [],
  );
  return [
    "/.env*",
    `/${folder}/.env*`,
    ...own.filter((path) => !path.startsWith("..")).map((path) => `/${path}/`),
  ];
}

/** A path as a pattern that means it alone. */
function literally(path: string): string {
  return `/${path.replace(/[\\*?[\]!#]/g, "\\$&").replace(/ $/, "\\ ")}`;
}

/** What may be a secret of this machine is sent only when git tracks it, or the adapter says so. */
async function refuseSecrets(
  folder: string,
  adapter: Adapter,
  entries: readonly TreeEntry[],
  history: SuiteHistory | undefined,
): Promise<void> {
  const said = ignore({ ignorecase: false }).add([...adapter.exclude]);
  const doubtful: string[] = [];
  for (const { path, kind } of entries) {
    const name = posix.basename(path);
    if (kind === "link" || said.test(path).unignored) continue;
    if (secretName.test(name) || (keyName.test(name) && (await isPrivateKey(join(folder, path)))))
      doubtful.push(path);
  }
  const names = history ? await history.untracked(doubtful) : doubtful;
  if (names.length > 0)
    throw new FleetError("SUITE_SECRETS", {
      path: folder,
      names: names.slice(0, 12).join(", ") + (names.length > 12 ? `, … (${names.length})` : ""),
      first: names[0] ?? "",
    });
}

async function isPrivateKey(file: string): Promise<boolean> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(65_536), 0, 65_536, 0);
    return /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/.test(buffer.toString("latin1", 0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** As Compose: text of other bytes is no YAML. */
async function readCompose(file: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(file));
  } catch (error) {
    throw error instanceof TypeError ? new Error(`${file} is not UTF-8`) : error;
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
