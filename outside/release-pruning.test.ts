/**
 * What goes from the operator's machine and what stays, on a real file system. Not proven: a machine that is powered off in
 * the middle, after which what is half gone goes a day later.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Release } from "../core/release/release.ts";
import { withFileLock } from "./file-lock.ts";
import { type ImageStore, imageStore } from "./images/image-store.ts";
import { operationJournals } from "./operation-journals.ts";
import { type Machine, pruneReleases } from "./release-pruning.ts";
import { releaseStore, type WritableReleaseStore } from "./release-store.ts";
import { removeUnused, use } from "./unused.ts";

const day = 86_400_000;
let folder: string;
let machine: Machine;
let store: WritableReleaseStore;
let images: ImageStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-prune-"));
  machine = { state: join(folder, "state"), cache: join(folder, "cache"), project: join(folder, "project") };
  await mkdir(machine.project, { recursive: true });
  store = releaseStore(machine.state);
  images = imageStore(join(machine.cache, "images"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const id = (number: number) => number.toString(16).padStart(12, "0");
const at = (...parts: string[]) => join(machine.state, ...parts);
const scriptsOf = (number: number) => (0xabc000 + number).toString(16);

/** Release `number`, with an image and scripts of its own, last used so many days ago. */
async function release(number: number, days: number): Promise<void> {
  const image = `geoclic/api:${id(number)}`;
  const kept = {
    format: 1,
    id: id(number),
    scripts: scriptsOf(number),
    services: { api: { image } },
  } as unknown as Release;
  await store.keep(kept, "services: {}", (at) => writeFile(join(at, "a"), "x"));
  await store.keepScripts(scriptsOf(number), (at) => writeFile(join(at, "run.py"), "x"));
  await images.add(image, saved(String(number)));
  await mkdir(at("checks"), { recursive: true });
  await mkdir(at("origins"), { recursive: true });
  await writeFile(at("checks", id(number)), "passed");
  await writeFile(at("origins", `${id(number)}.json`), "[]");
  await age(days, store.path(id(number)), store.scriptsPath(scriptsOf(number)));
  await age(days, at("checks", id(number)), at("origins", `${id(number)}.json`));
  await age(days, join(machine.cache, "images/images", `geoclic_api_${id(number)}.json`));
  const blobs = join(machine.cache, "images/blobs/sha256");
  await age(2, ...(await readdir(blobs)).map((blob) => join(blobs, blob)));
}

async function age(days: number, ...paths: string[]): Promise<void> {
  const then = new Date(Date.now() - days * day);
  for (const path of paths) await utimes(path, then, then);
}

const sha = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
/** In every image. */
const shared = Buffer.from("a layer of all");

function saved(content: string): Readable {
  const entry = (bytes: Buffer, kind: string) => ({
    mediaType: `application/vnd.oci.image.${kind}`,
    digest: `sha256:${sha(bytes)}`,
    size: bytes.length,
  });
  const layers = [Buffer.from(`${content} ${randomBytes(500).toString("hex")}`), shared];
  const config = Buffer.from(JSON.stringify({ of: content }));
  const manifest = Buffer.from(
    JSON.stringify({
      config: entry(config, "config.v1+json"),
      layers: layers.map((layer) => entry(layer, "layer.v1.tar")),
    }),
  );
  const tar = pack();
  for (const blob of [...layers, config, manifest]) tar.entry({ name: `blobs/sha256/${sha(blob)}` }, blob);
  tar.entry({ name: "index.json" }, JSON.stringify({ manifests: [entry(manifest, "manifest.v1+json")] }));
  tar.finalize();
  return Readable.from(tar);
}

const prune = (running: string[] = []) => pruneReleases(machine, running);
const held = async () => (await store.list()).map((each) => Number.parseInt(each, 16)).sort((a, b) => a - b);
const isImageThere = async (number: number) => (await images.find(`geoclic/api:${id(number)}`)) !== undefined;

describe("releases", () => {
  test("that nothing names go with their scripts, images, checks and origins; the ten that were used last stay whole", async () => {
    for (let number = 1; number <= 12; number += 1) await release(number, 20 + number);
    const told = await prune();
    expect(told).toMatchObject({ releases: 2, images: 2 });
    expect(told.bytes).toBeGreaterThan(200);
    expect(await held()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (let number = 1; number <= 12; number += 1)
      expect([
        existsSync(store.scriptsPath(scriptsOf(number))),
        existsSync(at("checks", id(number))),
        existsSync(at("origins", `${id(number)}.json`)),
        await isImageThere(number),
      ]).toEqual(Array(4).fill(number <= 10));
    // A manifest, a configuration and a layer each, and the layer that all have.
    expect(await readdir(join(machine.cache, "images/blobs/sha256"))).toHaveLength(10 * 3 + 1);
    expect(await readdir(join(machine.cache, "images/layers"))).toHaveLength(10 + 1);
    expect(await prune()).toEqual({ releases: 0, images: 0, bytes: 0 });
  });

  test("that a stack file, a journal or a running town names stay", async () => {
    for (let number = 1; number <= 10; number += 1) await release(number, 1);
    for (let number = 11; number <= 16; number += 1) await release(number, 100);
    await writeFile(
      join(machine.project, "Pulumi.nord.yaml"),
      `config:\n  geoclic-fleet:release: ${id(11)}\n`,
    );
    await writeFile(
      join(machine.project, "Pulumi.sud.yaml"),
      `config:\n  geoclic-fleet:clients:\n    - {release: ${id(12)}\n`,
    );
    const journal = operationJournals(machine.state, "est").create("20260101T000000-abcd");
    journal.tell({
      kind: "begin",
      id: "20260101T000000-abcd",
      verb: "update",
      stack: "est",
      actor: "a",
      request: {},
      pid: 2 ** 22 - 1,
      host: "elsewhere",
    });
    journal.tell({ kind: "plan", waves: [["a"]], targets: { a: id(13) } });
    expect(await prune([id(14)])).toMatchObject({ releases: 2 });
    expect(await held()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
    expect(await isImageThere(13)).toBe(true);
  });

  test("that are read or made again are in use", async () => {
    for (let number = 1; number <= 13; number += 1) await release(number, 20 + number);
    expect(await store.read(id(13))).toMatchObject({ id: id(13) });
    const again = { id: id(12), format: 1, scripts: "", services: {} } as unknown as Release;
    await store.keep(again, "", () => Promise.reject(new Error("it is there")));
    await store.keepScripts(scriptsOf(11), () => Promise.reject(new Error("it is there")));
    expect(await prune()).toMatchObject({ releases: 3 });
    expect(await held()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 12, 13]);
    expect(existsSync(store.scriptsPath(scriptsOf(11)))).toBe(true);
  });

  test("of which one cannot be read cost nothing else anything", async () => {
    for (let number = 1; number <= 3; number += 1) await release(number, 100);
    await writeFile(join(store.path(id(2)), "release.json"), "{");
    await expect(prune()).rejects.toMatchObject({ code: "RELEASE_BROKEN" });
    expect(await held()).toEqual([1, 2, 3]);
    expect([await isImageThere(1), await isImageThere(3)]).toEqual([true, true]);
  });
});

describe("what is half made", () => {
  test("goes after a day, and not while it is being made", async () => {
    await release(1, 1);
    const left = [
      [at("releases", `${id(5)}.partial-abc`), 2],
      [at("releases", `${id(6)}.partial-abc`), 0.5],
      [at("scripts", "abcdef.partial-x"), 2],
      [join(machine.cache, "images/scratch-00"), 2],
      [join(machine.cache, "images/scratch-11"), 0.5],
    ] as const;
    for (const [path, days] of left) {
      await mkdir(join(path, "deep"), { recursive: true });
      await age(days, path);
    }
    await prune();
    expect(left.map(([path]) => existsSync(path))).toEqual([false, true, false, false, true]);
  });

  test("an image's blobs, which no image names yet, stay", async () => {
    await release(1, 100);
    const blob = join(machine.cache, "images/blobs/sha256", "0".repeat(64));
    await writeFile(blob, "x");
    await prune();
    expect(existsSync(blob)).toBe(true);
    await age(2, blob);
    await prune();
    expect(existsSync(blob)).toBe(false);
  });

  test("while an image is being made no image goes, and nobody waits", async () => {
    for (let number = 1; number <= 11; number += 1) await release(number, 20 + number);
    const told = await withFileLock(join(machine.cache, "images/build"), () => prune());
    expect(told).toEqual({ releases: 1, images: 0, bytes: 0 });
    expect(await prune()).toMatchObject({ releases: 0, images: 1 });
  });
});

describe("at the very same time", () => {
  test("two that prune remove each thing once", async () => {
    for (let number = 1; number <= 30; number += 1) await release(number, 20 + number);
    const told = await Promise.all([prune(), prune(), prune()]);
    expect(told.reduce((sum, { releases }) => sum + releases, 0)).toBe(20);
    expect(await held()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await readdir(at("releases"))).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("who begins to use a thing keeps it whole or finds it gone", async () => {
    for (let round = 0; round < 300; round += 1) {
      const path = join(folder, `thing-${round}`);
      await mkdir(path);
      await writeFile(join(path, "content"), "x");
      await age(100, path);
      const begun = [
        () => use(path),
        // So that it is begun before the first look, at it, or behind it.
        () => Promise.resolve().then(() => use(path)),
        () => new Promise((done) => setImmediate(done)).then(() => use(path)),
      ][round % 3];
      const isBegun = begun?.();
      const isRemoved = await removeUnused(path, Date.now() - day);
      const isThere = await isBegun;
      expect([isRemoved, isThere]).not.toEqual([true, true]);
      if (isThere) expect(await readFile(join(path, "content"), "utf8")).toBe("x");
    }
    const used = join(folder, "used");
    await writeFile(used, "x");
    await age(100, used);
    expect([await use(used), await removeUnused(used, Date.now() - day)]).toEqual([true, false]);
  });
});
