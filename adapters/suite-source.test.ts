/** A suite's checkout becomes a release in the store. Not proven: that the release runs (see test/lab). */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { type FleetConfig, parseStackConfig } from "../core/config/stack.ts";
import { adapterYaml } from "../test/helpers/adapter.ts";
import { readTree } from "./file-tree.ts";
import { releaseStore, type WritableReleaseStore } from "./release-store.ts";
import { keepPresent, readReleases } from "./suite-source.ts";

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
const neverSent = {
  ".git/config": "",
  ".env": "SECRET=1",
  "deploy/.env.production": "SECRET=1",
  "deploy/nginx/privkey.pem": "key",
  "api/id_ed25519": "key",
  "api/tls.key": "key",
  "admin/node_modules/x/index.js": "",
  "api/__pycache__/main.pyc": "",
  "fleet/main.sh": "",
  "api/debug.log": "",
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

  test("is not changed by what is never sent, and does not hold it", async () => {
    const { id } = await keep();
    await write(neverSent);
    const again = await keep();
    expect(again.id).toBe(id);
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
