/**
 * Releases made of parts of two others, from the stand-in suite's real trees. Not proven: that a server replaces nothing
 * else (see test/lab/rollout.test.ts).
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Release } from "../core/release/release.ts";
import { releaseChanges } from "../core/rollout/changes.ts";
import { makeSuite } from "../lab/suite/release/make.ts";
import { readKept } from "./kept-release.ts";
import { keepPartial, type Parts } from "./partial-release.ts";
import { releaseStore, type WritableReleaseStore } from "./release-store.ts";
import { keepPresent } from "./suite-source.ts";

let folder: string;
let store: WritableReleaseStore;
let former: Release;
let present: Release;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-partial-"));
  store = releaseStore(join(folder, "state"));
  const path = join(folder, "suite");
  const config = { suite: { path, adapter: "assets/suites/geoclic.yaml", imagesAsOf: "first" } };
  await makeSuite("1.0.0", path);
  former = await keepPresent(config, store);
  await makeSuite("1.1.0", path, { words: { sig: "Coucou" } });
  const compose = join(path, "deploy/docker-compose.yml");
  const text = await readFile(compose, "utf8");
  await writeFile(compose, text.replace("VITE_APP_TITLE: Portail citoyen", "VITE_APP_TITLE: Mon portail"));
  present = await keepPresent(config, store);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const partial = (parts: Parts, imagesAsOf = "first") =>
  keepPartial(store, former, present, parts, imagesAsOf);

async function changes(release: Release) {
  const [before, after] = await Promise.all([readKept(store, former.id), readKept(store, release.id)]);
  if (!before || !after) throw new Error("a release is not kept");
  return releaseChanges(before, after);
}

describe("the whole", () => {
  test("changes what its parts change", async () => {
    expect(await changes(present)).toEqual({
      services: ["api", "portail", "sig"],
      migrations: ["017_urgence.sql"],
      breaking: [],
      lacking: [],
      stopped: [],
      emptied: [],
    });
  });
});

describe("services", () => {
  test.each([
    [["portail"], ["portail"], []],
    [["sig", "portail"], ["portail", "sig"], []],
    // Its image copies the database's folder, migrations included.
    [["api"], ["api"], ["017_urgence.sql"]],
    [["terrain"], [], []],
  ])("%j: only these are replaced", async (services, replaced, migrations) => {
    const release = await partial({ services });
    expect(await changes(release)).toMatchObject({ services: replaced, migrations });
    expect(release.id === former.id).toBe(replaced.length === 0);
  });

  test("take their section of the compose file along, and no other's", async () => {
    const release = await partial({ services: ["portail"] });
    const text = await readFile(join(store.path(release.id), "compose.yml"), "utf8");
    expect(text).toContain("Mon portail");
    expect(await readFile(join(store.path(former.id), "compose.yml"), "utf8")).not.toContain("Mon portail");
  });

  test("are refused where others would move too, and these are named", async () => {
    await expect(partial({ services: ["portail"] }, "2026-12")).rejects.toThrow(
      /portail cannot be updated without db, api, admin.*SERVICES_NOT_ALONE/,
    );
  });
});

test("one migration: that file, and the service whose image holds it", async () => {
  const release = await partial({ services: [], migration: "017_urgence.sql" });
  expect(await changes(release)).toMatchObject({ services: ["api"], migrations: ["017_urgence.sql"] });
  const version = join(store.path(release.id), "suite/api/version.txt");
  expect(await readFile(version, "utf8")).toBe("1.0.0\n");
});

test("made again, it is the same", async () => {
  const parts = { services: ["portail"] };
  expect((await partial(parts)).id).toBe((await partial(parts)).id);
});
