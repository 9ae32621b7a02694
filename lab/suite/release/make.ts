/**
 * @module Makes the tree of one release of the stand-in suite from the tree in this repository, for tests of updates.
 *
 *     node lab/suite/release/make.ts --release 1.1.0 --into DIR [--edit-word portail[=Salut]] [--add-migration 092_drops_data.sql]
 *       [--upstreams resolver]
 */
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { execa } from "execa";

export type SuiteRelease = "1.0.0" | "1.1.0" | "1.2.0-crash" | "1.3.0-broken-migration";

export interface SuiteEdits {
  /** Applications, as in their path (`portail`), and the word that replaces the first one of their page. */
  readonly words?: Readonly<Record<string, string>>;
  /** Files of `database/migrations-tests/` to put among the migrations. */
  readonly migrations?: readonly string[];
  /**
   * How nginx learns addresses: `fixed`, as the real suite's, knows those of its last load and does not start when a name
   * has none; `resolver` asks for names again and again.
   * @default "fixed"
   */
  readonly upstreams?: "resolver" | "fixed";
  /** Seconds that the API takes to start; the real suite's takes 10. */
  readonly apiStartSeconds?: number;
  /** Tag of the database's image: `15-3.3-bare` lacks an extension that init needs, `15-3.3-fr` speaks French. */
  readonly databaseImage?: string;
  /** The tree is a git checkout, its version the tag of its commit. */
  readonly isCheckout?: boolean;
  /** Adds `/api/lab/slow`, which answers after 1.5 s. */
  readonly slowRoute?: boolean;
  /** Comment put into nginx's configuration, which changes it and nothing else. */
  readonly nginxComment?: string;
}

type Patch = (into: string) => Promise<void>;

const suite = resolve(import.meta.dirname, "..");
const marker = "VERSION";
/** Whatever this machine's own configuration of git says. */
const quietGit = {
  PATH: process.env.PATH ?? "/usr/bin:/bin",
  ...{ GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
  ...{ GIT_AUTHOR_NAME: "Suite", GIT_AUTHOR_EMAIL: "suite@geoclic.test" },
  ...{ GIT_COMMITTER_NAME: "Suite", GIT_COMMITTER_EMAIL: "suite@geoclic.test" },
};

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
    ...(edits.upstreams === "resolver" ? [askForNames] : []),
    ...(edits.apiStartSeconds === undefined ? [] : [apiStart(edits.apiStartSeconds)]),
    ...(edits.databaseImage === undefined ? [] : [databaseImage(edits.databaseImage)]),
    ...(edits.slowRoute ? [addSlowRoute] : []),
    ...(edits.nginxComment === undefined ? [] : [nginxComment(edits.nginxComment)]),
    // Last: what is committed is what is there.
    ...(edits.isCheckout ? [tagCheckout] : []),
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
  const isSuite = present.includes("deploy") && (present.includes(marker) || present.includes(".git"));
  if (present.length > 0 && !isSuite)
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

/** A variable in `proxy_pass` makes nginx resolve the name at each request instead of once at its load. */
async function askForNames(into: string): Promise<void> {
  const folder = join(into, "deploy/nginx");
  await edit(
    join(folder, "nginx.conf"),
    "    upstream api_backend {\n        server api:8000;\n    }\n",
    "    resolver 127.0.0.11 valid=1s ipv6=off;\n    resolver_timeout 2s;\n",
  );
  const locations = join(folder, "conf.d/locations.conf");
  const before = await readFile(locations, "utf8");
  const after = before.replace(
    /^ {4}proxy_pass http:\/\/([^;]+);/gm,
    (_match, name: string) =>
      `    set $upstream ${name === "api_backend" ? "api:8000" : name};\n    proxy_pass http://$upstream;`,
  );
  if (after === before) throw new Error(`${locations}: no proxy_pass to a fixed name`);
  await writeFile(locations, after);
}

/** Every worker of the API prepares for so long before it listens. */
function apiStart(seconds: number): Patch {
  return (into) =>
    edit(join(into, "deploy/Dockerfile.api"), "API_WORKERS=4", `API_WORKERS=4 API_START_SECONDS=${seconds}`);
}

function databaseImage(tag: string): Patch {
  return (into) =>
    edit(join(into, "deploy/docker-compose.yml"), "postgis/postgis:15-3.3", `postgis/postgis:${tag}`);
}

/** A checkout without a file that tells its version: the commit's tag is all there is. */
async function tagCheckout(into: string): Promise<void> {
  const version = (await readFile(join(into, marker), "utf8")).trim();
  await rm(join(into, marker));
  const git = (...words: string[]) => execa("git", words, { cwd: into, extendEnv: false, env: quietGit });
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", `Version ${version}`);
  await git("tag", `v${version}`);
}

async function addSlowRoute(into: string): Promise<void> {
  const file = join(into, "api/main.py");
  const route = [
    "",
    "",
    '@app.api_route("/api/lab/slow", methods=["GET"])',
    "async def slow():",
    "    await asyncio.sleep(1.5)",
    '    return {"slow": True}',
    "",
  ];
  await writeFile(file, `${(await readFile(file, "utf8")).trimEnd()}\n${route.join("\n")}`);
}

function nginxComment(text: string): Patch {
  return async (into) => {
    const main = join(into, "deploy/nginx/nginx.conf");
    await writeFile(main, `# ${text}\n${await readFile(main, "utf8")}`);
  };
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
    "    settings.load()\n",
    '    settings.load()\n    sys.exit("this release crashes at its start, on purpose")\n',
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
      upstreams: { type: "string", default: "fixed" },
    },
  });
  const { release, into, upstreams } = values;
  try {
    if (!isRelease(release) || into === undefined)
      throw new Error(`--release and --into are needed; releases: ${Object.keys(releases).join(", ")}`);
    if (upstreams !== "resolver" && upstreams !== "fixed")
      throw new Error(`--upstreams: got ${upstreams}, expected resolver or fixed`);
    const words = Object.fromEntries(
      values["edit-word"].map((pair) => {
        const [app = "", text = "Salut"] = pair.split("=");
        return [app, text];
      }),
    );
    await makeSuite(release, resolve(into), { words, migrations: values["add-migration"], upstreams });
    console.log(`${release}: ${resolve(into)}`);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
