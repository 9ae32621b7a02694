/**
 * @module Makes the tree of one release of the stand-in suite from the tree in this repository, for tests of updates.
 *
 *     node lab/suite/release/make.ts --release 1.1.0 --into DIR [--edit-word portail[=Salut]] [--add-migration 092_drops_data.sql]
 */
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

export type SuiteRelease = "1.0.0" | "1.1.0" | "1.2.0-crash" | "1.3.0-broken-migration";

export interface SuiteEdits {
  /** Applications, as in their path (`portail`), and the word that replaces the first one of their page. */
  readonly words?: Readonly<Record<string, string>>;
  /** Files of `database/migrations-tests/` to put among the migrations. */
  readonly migrations?: readonly string[];
}

type Patch = (into: string) => Promise<void>;

const suite = resolve(import.meta.dirname, "..");
const marker = "VERSION";

export const appFolders: Readonly<Record<string, string>> = {
  admin: "geoclic_data",
  portail: "portail_citoyen",
  demandes: "geoclic_demandes",
  mobile: "geoclic_mobile_pwa",
  sig: "geoclic_sig_web",
  services: "geoclic_services",
  terrain: "geoclic_services_pwa",
};

const releases: Readonly<Record<SuiteRelease, readonly Patch[]>> = {
  "1.0.0": [],
  "1.1.0": [apiVersion("1.1.0"), addUrgency, portalVersion("1.1.0"), word("portail", "Bonjour")],
  "1.2.0-crash": [apiVersion("1.2.0"), crashAtStart],
  "1.3.0-broken-migration": [apiVersion("1.3.0"), migration("090_fails_halfway.sql")],
};

/**
 * Writes the suite's tree into a folder, which is emptied first.
 * @throws Error when the folder holds something else than a suite, or a patch no longer fits the tree
 */
export async function makeSuite(release: SuiteRelease, into: string, edits: SuiteEdits = {}): Promise<void> {
  await empty(into);
  await cp(suite, into, { recursive: true, filter: (path) => isDelivered(relative(suite, path)) });
  await writeFile(join(into, marker), `${release}\n`);
  const patches = [
    ...releases[release],
    ...Object.entries(edits.words ?? {}).map(([app, text]) => word(app, text)),
    ...(edits.migrations ?? []).map(migration),
  ];
  for (const patch of patches) await patch(into);
}

function isDelivered(path: string): boolean {
  const [top] = path.split("/");
  if (top === "release" || top === "test") return false;
  return !/(^|\/)(node_modules|dist|__pycache__)(\/|$)/.test(path);
}

async function empty(into: string): Promise<void> {
  const present = await readdir(into).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  if (present.length > 0 && !(present.includes(marker) && present.includes("deploy")))
    throw new Error(`${into} holds something else than a suite; give an empty folder, or remove it first`);
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
}

function apiVersion(version: string): Patch {
  return (into) => writeFile(join(into, "api/version.txt"), `${version}\n`);
}

function portalVersion(version: string): Patch {
  return async (into) => {
    const folder = join(into, "portail_citoyen");
    await edit(join(folder, "package.json"), '"version": "1.0.0"', `"version": "${version}"`);
    await edit(join(folder, "package-lock.json"), '"version": "1.0.0"', `"version": "${version}"`, 2);
  };
}

function word(app: string, text: string): Patch {
  return async (into) => {
    const folder = appFolders[app];
    if (folder === undefined)
      throw new Error(`unknown application ${app}, expected one of: ${Object.keys(appFolders).join(", ")}`);
    const page = join(into, folder, "src/index.html");
    const before = await readFile(page, "utf8");
    const after = before.replace(/<p>\p{L}+\. /u, `<p>${text}. `);
    if (after === before)
      throw new Error(`${page}: no first word to replace by ${text}, or it is there already`);
    await writeFile(page, after);
  };
}

function migration(name: string): Patch {
  return (into) =>
    copyFile(join(suite, "database/migrations-tests", name), join(into, "database/migrations", name));
}

/** Additive: the former release runs on it. */
async function addUrgency(into: string): Promise<void> {
  await writeFile(
    join(into, "database/migrations/017_urgence.sql"),
    [
      "ALTER TABLE demandes_citoyens ADD COLUMN IF NOT EXISTS urgence_signalee BOOLEAN NOT NULL DEFAULT FALSE;",
      "CREATE INDEX IF NOT EXISTS idx_demandes_citoyens_urgence ON demandes_citoyens (created_at) WHERE urgence_signalee;",
      "",
    ].join("\n"),
  );
}

async function crashAtStart(into: string): Promise<void> {
  await edit(
    join(into, "api/__main__.py"),
    "settings.load()\n",
    'settings.load()\nsys.exit("this release crashes at its start, on purpose")\n',
  );
}

async function edit(path: string, from: string, to: string, times = 1): Promise<void> {
  const before = await readFile(path, "utf8");
  const found = before.split(from).length - 1;
  if (found !== times)
    throw new Error(`${path}: ${JSON.stringify(from)} is there ${found} times, expected ${times}`);
  await writeFile(path, before.replaceAll(from, to));
}

function isRelease(name: string | undefined): name is SuiteRelease {
  return name !== undefined && name in releases;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      release: { type: "string" },
      into: { type: "string" },
      "edit-word": { type: "string", multiple: true, default: [] },
      "add-migration": { type: "string", multiple: true, default: [] },
    },
  });
  const { release, into } = values;
  try {
    if (!isRelease(release) || into === undefined)
      throw new Error(`--release and --into are needed; releases: ${Object.keys(releases).join(", ")}`);
    const words = Object.fromEntries(
      values["edit-word"].map((pair) => {
        const [app = "", text = "Salut"] = pair.split("=");
        return [app, text];
      }),
    );
    await makeSuite(release, resolve(into), { words, migrations: values["add-migration"] });
    console.log(`${release}: ${resolve(into)}`);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
