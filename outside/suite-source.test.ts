/** A suite's checkout becomes a release in the store. Not proven: that the release runs (see test/lab). */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { execa } from "execa";
import { stringify } from "yaml";
import { type FleetConfig, parseStackConfig } from "../core/config/stack.ts";
import { adapterYaml } from "../test/helpers/adapter.ts";
import { copyTree, readTree } from "./file-tree.ts";
import { releaseStore, type WritableReleaseStore } from "./release-store.ts";
import { keepPresent, readReleases, readScripts } from "./suite-source.ts";

const compose = {
  services: {
    db: { image: "postgis" },
    api: { build: { context: "..", dockerfile: "deploy/Dockerfile.api" } },
    admin: { build: "../admin" },
    nginx: {
      image: "nginx",
      volumes: [
        "./nginx/conf.d:/etc/nginx/conf.d:ro",
        "./www:/var/www:ro",
        "./www/certbot:/var/www/certbot:ro",
      ],
    },
  },
};
const files: Readonly<Record<string, string>> = {
  VERSION: "1.2.3\n",
  "api/main.py": "print(1)",
  "admin/Dockerfile": "FROM x",
  "deploy/Dockerfile.api": "FROM x",
  "deploy/docker-compose.yml": stringify(compose),
  "deploy/nginx/conf.d/a.conf": "server {}",
  "deploy/www/index.html": "<html>",
};
const privateKey = "-----BEGIN EC PRIVATE KEY-----\nx\n";
/** Of a machine, or a tool's: never in a release. */
const neverSent: Readonly<Record<string, string>> = {
  ".env": "SECRET=1",
  "deploy/.env": "SECRET=1",
  "deploy/.env.production": "SECRET=1",
  "deploy/nginx/ssl/privkey.pem": privateKey,
  "deploy/logs/api.log": "",
  "admin/node_modules/x/index.js": "",
  "api/__pycache__/main.pyc": "",
  "fleet/main.sh": "",
  ".github/workflows/ci.yml": "",
};
/** What an application is built of. */
const inputs: Readonly<Record<string, string>> = {
  "admin/.env.production": "VITE_API_URL=/api",
  "admin/public/lib/leaflet/dist/leaflet.js": "x",
  "admin/public/clef.key": "not a secret",
  "admin/public/certificat.pem": "-----BEGIN CERTIFICATE-----",
  "admin/public/journal.log": "x",
  "admin/.env.example": "VITE_API_URL=",
};
/** What may be a secret, or may be an application's. */
const doubtful: Readonly<Record<string, string>> = {
  "api/.env": "SECRET=1",
  "admin/.env.production.local": "SECRET=1",
  "api/tls.key": privateKey,
  "api/id_ed25519": "x",
  "api/store.p12": "x",
};

let folder: string;
let store: WritableReleaseStore;
let suite: FleetConfig["suite"];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-suite-"));
  store = releaseStore(join(folder, "state"));
  suite = { path: join(folder, "suite"), adapter: join(folder, "geoclic.yaml"), imagesAsOf: "first" };
  await write(files);
  await mkdir(join(folder, "hooks"));
  await writeFile(join(folder, "hooks/a.py"), "print(2)");
  await writeFile(suite.adapter, stringify(adapterYaml));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function write(texts: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(join(suite.path, path, ".."), { recursive: true });
    await writeFile(join(suite.path, path), text);
  }
}

const keep = () => keepPresent({ suite }, store);

/** Paths of the present tree's release. */
async function paths(): Promise<string[]> {
  return (await readTree(join(store.path((await keep()).id), "suite"))).map(({ path }) => path);
}

async function git(...words: readonly string[]): Promise<string> {
  const own = [
    "-c",
    "user.name=a",
    "-c",
    "user.email=a@b",
    "-c",
    "tag.gpgSign=false",
    "-c",
    "commit.gpgSign=false",
  ];
  return (await execa("git", ["-C", suite.path, ...own, ...words])).stdout;
}

async function commit(...words: readonly string[]): Promise<string> {
  await git("add", "--all", ...words);
  await git("commit", "--quiet", "--allow-empty", "-m", "x");
  return git("rev-parse", "HEAD");
}

describe("the present tree", () => {
  test("is kept whole: suite, compose file, release and scripts", async () => {
    const release = await keep();
    expect(release).toMatchObject({ version: "1.2.3", project: "deploy" });
    const entries = await readTree(join(store.path(release.id), "suite"));
    expect(entries.map(({ path }) => path)).toEqual(Object.keys(files).sort());
    expect(await store.read(release.id)).toEqual(JSON.parse(JSON.stringify(release)));
    expect(await readFile(join(store.path(release.id), "compose.yml"), "utf8")).toContain('name: "deploy"');
    const scripts = await readdir(store.scriptsPath(release.scripts));
    expect(scripts).toContain("activate");
    expect(scripts).not.toContain("tests");
    expect((await stat(join(store.scriptsPath(release.scripts), "activate"))).mode & 0o777).toBe(0o755);
  });

  test("gives the same release again, and after a change and its undoing", async () => {
    const { id } = await keep();
    expect((await keep()).id).toBe(id);
    await write({ "api/main.py": "print(2)" });
    const other = await keep();
    expect(other.id).not.toBe(id);
    await write({ "api/main.py": "print(1)" });
    expect((await keep()).id).toBe(id);
    expect(await store.list()).toEqual([id, other.id].sort());
  });

  test("is not changed by what is never sent, does not hold it, and tells it", async () => {
    const { id } = await keep();
    await write(neverSent);
    const told: string[] = [];
    const again = await keepPresent({ suite }, store, (paths) => told.push(...paths));
    expect(again.id).toBe(id);
    expect(told.sort()).toEqual(
      [
        ".env",
        ".github/",
        "admin/node_modules/",
        "api/__pycache__/",
        "deploy/.env",
        "deploy/.env.production",
      ].concat(["deploy/logs/", "deploy/nginx/ssl/", "fleet/"]),
    );
  });

  test.each(Object.keys(inputs))("holds %s, which an application is built of", async (path) => {
    await write({ [path]: inputs[path] ?? "" });
    expect(await paths()).toContain(path);
  });

  test("is read by names as they are written", async () => {
    await writeFile(suite.adapter, stringify({ ...adapterYaml, exclude: ["/docs/", "*.tmp"] }));
    await write({ "Docs/a": "x", "a.TMP": "x", "docs/b": "x", "b.tmp": "x" });
    expect(await paths()).toEqual(expect.arrayContaining(["Docs/a", "a.TMP"]));
    expect(await paths()).not.toEqual(expect.arrayContaining(["docs/b"]));
  });

  test("is read whatever the bytes of its compose file are, or refused", async () => {
    const file = join(suite.path, "deploy/docker-compose.yml");
    await writeFile(file, Buffer.concat([Buffer.from("# caf\xe9\n", "latin1"), await readFile(file)]));
    await expect(keep()).rejects.toThrow("is not UTF-8");
  });

  test("changes with a hook beside the adapter", async () => {
    const { id } = await keep();
    await writeFile(join(folder, "hooks/a.py"), "print(3)");
    expect((await keep()).id).not.toBe(id);
  });

  test("needs no VERSION", async () => {
    await rm(join(suite.path, "VERSION"));
    expect((await keep()).version).toBe("");
  });

  test("fits the adapter that ships, for the stand-in", async () => {
    const release = await keepPresent(
      { suite: { path: "lab/suite", adapter: "assets/suites/geoclic.yaml", imagesAsOf: "first" } },
      store,
    );
    expect(Object.keys(release.services)).toHaveLength(10);
    expect(release.services.nginx).toMatchObject({ origin: "pulled", ingress: true });
  });
});

describe("the server's scripts", () => {
  const own = join(import.meta.dirname, "../assets/server");

  test("are what git tracks of them, without their tests", async () => {
    const tracked = await execa("git", ["ls-files", "-z"], { cwd: own });
    const expected = tracked.stdout.split("\0").filter((path) => path && !/^(tests|harness)\//.test(path));
    expect((await readScripts(own)).map(({ path }) => path).sort()).toEqual(expected.sort());
  });

  test("are the same whatever an editor or a tool leaves among them", async () => {
    const copy = join(folder, "server");
    const before = await readScripts(own);
    await copyTree(own, before, copy);
    const left = [
      ...[".base.py.swp", "base.py~", "base.py.orig", "#base.py#", ".coverage", "notes.txt"],
      ...["__pycache__/base.pyc", ".ruff_cache/CACHEDIR.TAG", ".mypy_cache/3.10/base.data.json"],
    ];
    for (const path of ["", "geoclic_server/", "units/"].flatMap((at) => left.map((name) => at + name))) {
      await mkdir(join(copy, path, ".."), { recursive: true });
      await writeFile(join(copy, path), "x");
    }
    await symlink("nobody@nowhere.1", join(copy, "geoclic_server/.#base.py"));
    expect(await readScripts(copy)).toEqual(before);
  });
});

describe("what may be a secret", () => {
  test.each(Object.keys(doubtful))("%s is refused by its name", async (path) => {
    await write({ [path]: doubtful[path] ?? "" });
    await expect(keep()).rejects.toMatchObject({
      code: "SUITE_SECRETS",
      values: { names: path, first: path },
    });
    expect(await store.list()).toEqual([]);
  });

  test("is left out or sent as the adapter says", async () => {
    await write(doubtful);
    const exclude = ["/api/.env", "/api/tls.key", "id_ed25519", "!/admin/.env.production.local", "!*.p12"];
    await writeFile(suite.adapter, stringify({ ...adapterYaml, exclude }));
    const found = await paths();
    expect(found).toEqual(expect.arrayContaining(["admin/.env.production.local", "api/store.p12"]));
    for (const path of ["api/.env", "api/tls.key", "api/id_ed25519"]) expect(found).not.toContain(path);
  });

  test("is sent when git tracks it, left out when the suite's .gitignore does, refused when neither", async () => {
    await git("init", "--quiet");
    await write({ "api/tests/tls.key": privateKey, "admin/.env": "VITE_A=1" });
    await commit();
    expect(await paths()).toEqual(expect.arrayContaining(["admin/.env", "api/tests/tls.key"]));
    await write({ "api/.env": "SECRET=1" });
    await expect(keep()).rejects.toMatchObject({ code: "SUITE_SECRETS", values: { names: "api/.env" } });
    await write({ ".gitignore": "/api/.env\n" });
    expect(await paths()).not.toContain("api/.env");
  });
});

describe("a suite that is a checkout", () => {
  beforeEach(async () => {
    await git("init", "--quiet");
  });

  test("is what a plain checkout holds: what git ignores is no part, what it tracks all the same is", async () => {
    await write({ "admin/public/dist/leaflet.js": "x", "admin/npm-debug.log": "kept" });
    await commit();
    await write({ ".gitignore": "dist/\n*.log\n[ab].txt\n" });
    await commit();
    const { id } = await keep();
    await write({ "admin/dist/app.js": "x", "api/error.log": "x", "api/a.txt": "x", "api/[x] y.log": "x" });
    const told: string[] = [];
    expect((await keepPresent({ suite }, store, (left) => told.push(...left))).id).toBe(id);
    expect(told.sort()).toEqual([".git/", "admin/dist/", "api/[x] y.log", "api/a.txt", "api/error.log"]);
    expect(await paths()).toEqual(
      expect.arrayContaining(["admin/public/dist/leaflet.js", "admin/npm-debug.log"]),
    );
  });

  test("gives the release that the same tree gives without git", async () => {
    const { id } = await keep();
    await commit();
    expect((await keep()).id).toBe(id);
    await git("tag", "v1");
    expect((await keep()).id).toBe(id);
  });

  test("is called by its tag or commit, and found by either", async () => {
    const hash = await commit();
    const { id } = await keep();
    expect(await store.origins.described(id)).toBe(hash.slice(0, 7));
    await git("tag", "v1.2");
    await keep();
    expect(await store.origins.described(id)).toBe("v1.2");
    for (const name of ["v1.2", hash, hash.slice(0, 7)]) expect(await store.origins.named(name)).toBe(id);
    for (const name of ["v1", hash.slice(0, 6), "", id])
      expect(await store.origins.named(name)).toBeUndefined();
  });

  test("with changes of one's own is called so, and is not what the tag names", async () => {
    await commit();
    await git("tag", "v1.2");
    await write({ "api/main.py": "print(2)" });
    const { id } = await keep();
    expect(await store.origins.described(id)).toBe("v1.2-dirty");
    expect(await store.origins.named("v1.2")).toBeUndefined();
  });

  test("whose commit several releases were made of is not guessed", async () => {
    await commit();
    await git("tag", "v1.2");
    const one = await keep();
    suite = { ...suite, imagesAsOf: "2026-11" };
    const other = await keep();
    const naming = store.origins.named("v1.2");
    await expect(naming).rejects.toMatchObject({ code: "RELEASE_AMBIGUOUS" });
    await expect(naming).rejects.toThrow(one.id);
    await expect(naming).rejects.toThrow(other.id);
  });

  test("that git cannot read is told with git's own words", async () => {
    await rm(join(suite.path, ".git"), { recursive: true });
    await writeFile(join(suite.path, ".git"), "gitdir: /nowhere\n");
    await expect(keep()).rejects.toThrow("not a git repository: /nowhere");
  });

  test("is read without what the operator's shell says of git", async () => {
    const hash = await commit();
    vi.stubEnv("GIT_DIR", "/nowhere");
    const { id } = await keep();
    expect(await store.origins.named(hash)).toBe(id);
  });
});

describe("fails", () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ["without a suite", () => rm(suite.path, { recursive: true }), "SUITE_UNREADABLE"],
    ["without a compose file", () => rm(join(suite.path, "deploy/docker-compose.yml")), "SUITE_UNREADABLE"],
    ["on a link out of the suite", () => symlink("/etc/passwd", join(suite.path, "l")), "SUITE_UNREADABLE"],
    ["without a hook's script", () => rm(join(folder, "hooks/a.py")), "ADAPTER_INVALID"],
    ["without an adapter", () => rm(suite.adapter), "ADAPTER_INVALID"],
    ["on an adapter that is no YAML", () => writeFile(suite.adapter, "a: [b"), "ADAPTER_INVALID"],
    ["on an adapter of another kind", () => writeFile(suite.adapter, "name: x"), "ADAPTER_INVALID"],
    [
      "on a compose file of other services",
      () => write({ "deploy/docker-compose.yml": "services: {web: {image: x}}" }),
      "COMPOSE_UNEXPECTED",
    ],
  ])("%s, and keeps nothing", async (_, spoil, code) => {
    await spoil();
    await expect(keep()).rejects.toMatchObject({ code });
    expect(await store.list()).toEqual([]);
  });
});

describe("the releases of a stack", () => {
  const read = (change: Record<string, unknown>) => {
    vi.stubEnv("GEOCLIC_HOME", join(folder, "state"));
    return readReleases(parseStackConfig({ role: "fleet", suite, ...change }) as FleetConfig);
  };
  const client = (number: number, release?: string) => ({
    name: `ville-${number}`,
    domain: `ville-${number}.fr`,
    email: "a@ville.fr",
    town: "Ville",
    ip: `10.0.0.${number}`,
    ssh: { hostKey: `ssh-ed25519 ${"A".repeat(68)}` },
    ...(release ? { release } : {}),
  });

  test("are the present one and those that are pinned, each once", async () => {
    const former = (await keep()).id;
    await write({ "api/main.py": "print(2)" });
    const releases = await read({ clients: [client(1, former), client(2), client(3, former)] });
    expect([...releases.keys()].sort()).toEqual([former, "present"].sort());
    expect(releases.get("present")?.id).not.toBe(former);
  });

  test("do not need the suite when every client is pinned", async () => {
    const { id } = await keep();
    await rm(suite.path, { recursive: true });
    const releases = await read({ release: id, clients: [client(1)] });
    expect([...releases.keys()]).toEqual([id]);
  });

  test("fail on a pin that the store lacks, and name the present one", async () => {
    const { id } = await keep();
    const reading = read({ clients: [client(1, "000000000000"), client(2)] });
    await expect(reading).rejects.toMatchObject({
      code: "RELEASE_UNKNOWN",
      values: { release: "000000000000", present: id },
    });
  });
});
