/** The store's own copies, and a damaged store given back from them. Not proven: disks that lie. */
import { existsSync } from "node:fs";
import { mkdtemp, open, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkStore } from "./check.ts";
import { copiesOf, copyStore, copyStoreIfDue, problemsOf } from "./copy.ts";
import { copyFiles, storeFile, storeFolder } from "./places.ts";
import { openOrRestore, type Restored, restoreStore } from "./restore.ts";
import { type OpenStore, openStore } from "./store.ts";

let state: string;
let file: string;
const opened: OpenStore[] = [];

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "geoclic-store-"));
  file = storeFile(state);
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await rm(state, { recursive: true, force: true });
});

async function store(): Promise<OpenStore> {
  const fresh = await openStore({ state });
  opened.push(fresh);
  return fresh;
}

/** Writes a line of an order and closes, so that the file holds everything. */
async function order(name: string): Promise<void> {
  const { journals, close } = await openStore({ state });
  await journals.add("order", "ville", { name });
  await close();
}

const names = async (from: OpenStore) =>
  (await from.journals.read("order", "ville")).map(({ event }) => event.name);

/** Noise over some of its pages. */
async function spoil(from: number): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, "r+");
  await handle.write(Buffer.alloc(size - from, 0x5a), 0, size - from, from);
  await handle.close();
}

describe("its own copies", () => {
  test("are whole, for their owner alone, made while others write, and rotated", async () => {
    const writer = await store();
    for (const name of ["one", "two", "three", "four"]) {
      await writer.journals.add("order", "ville", { name });
      const copy = await copyStore(state);
      expect(problemsOf(copy.file)).toEqual([]);
      expect((await stat(copy.file)).mode & 0o777).toBe(0o600);
    }
    const lines = copyFiles(file).map((copy) => {
      const direct = new DatabaseSync(copy, { readOnly: true });
      const { count } = direct.prepare("select count(*) as count from journal_line").get() ?? {};
      direct.close();
      return count;
    });
    expect(lines).toEqual([4, 3, 2]);
    expect((await readdir(storeFolder(state))).filter((name) => name.includes("partial"))).toEqual([]);
  });

  test("are made once a day", async () => {
    await order("one");
    const made = await copyStoreIfDue(state);
    expect(made?.file).toBe(copyFiles(file)[0]);
    expect(await copyStoreIfDue(state)).toBeUndefined();
    const dayAgo = new Date(Date.now() - 86_400_001);
    await utimes(copyFiles(file)[0], dayAgo, dayAgo);
    expect(await copyStoreIfDue(state)).toBeDefined();
    expect(await copiesOf(state)).toHaveLength(2);
  });

  test("are not made of what is damaged: the last good one stays", async () => {
    for (let each = 0; each < 50; each += 1) await order(`${each} ${"x".repeat(3000)}`);
    await copyStore(state);
    const before = await readFile(copyFiles(file)[0]);
    await spoil(8192);
    await expect(copyStore(state)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    expect((await readFile(copyFiles(file)[0])).equals(before)).toBe(true);
    const { failure, copy } = await checkStore({ state });
    expect([failure?.code, copy?.file]).toEqual(["STORE_DAMAGED", copyFiles(file)[0]]);
  });
});

describe("damaged", () => {
  test.each([
    ["noise from its first byte", () => spoil(0)],
    ["no longer there", () => rm(file)],
    ["empty", () => truncate(file)],
  ])("%s, it is told, then restored from its copy, and that is told too", async (_, damage) => {
    await order("one");
    await copyStore(state);
    await damage();
    await expect(openStore({ state })).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    const told: Restored[] = [];
    const restored = await openOrRestore({ state }, (each) => told.push(each));
    opened.push(restored);
    expect(await names(restored)).toEqual(["one"]);
    expect(told).toMatchObject([{ copy: { file: copyFiles(file)[0] }, rows: 0 }]);
    if (told[0]?.damaged !== undefined) expect(existsSync(told[0].damaged)).toBe(true);
    expect((await checkStore({ state })).failure).toBeUndefined();
  });

  test("what its journals tell of the time since the copy comes back with it", async () => {
    await order("one");
    await copyStore(state);
    await order("two");
    await order("three");
    const { rows } = await restoreStore(state);
    expect(rows).toBe(2);
    expect(await names(await store())).toEqual(["one", "two", "three"]);
  });

  test("a copy that is damaged itself is passed over", async () => {
    await order("one");
    await copyStore(state);
    await order("two");
    await copyStore(state);
    await writeFile(copyFiles(file)[0], "x".repeat(9000));
    await rm(file);
    const { copy } = await restoreStore(state);
    expect(copy.file).toBe(copyFiles(file)[1]);
    expect(await names(await store())).toEqual(["one"]);
  });

  test("without a copy, or while others have it open, nothing is changed", async () => {
    await order("one");
    await expect(restoreStore(state)).rejects.toMatchObject({ code: "STORE_NO_COPY" });
    await copyStore(state);
    const other = await store();
    await expect(restoreStore(state)).rejects.toMatchObject({
      code: "STORE_IN_USE",
      values: { place: file, pids: `${process.pid}` },
    });
    expect(await names(other)).toEqual(["one"]);
  });
});
