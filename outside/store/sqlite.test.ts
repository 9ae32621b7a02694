/**
 * The file of the store: rights, versions, damage, copies, a full disk, processes that are killed.
 * Not proven: a power cut (fsync is the kernel's), a full file system (SQLite's own limit of pages stands for it).
 */
import { existsSync } from "node:fs";
import {
  chmod,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { processes } from "../../test/helpers/store/processes.ts";
import { elsewhere } from "../../test/helpers/store/stores.ts";
import { checkStore } from "./check.ts";
import { copiesOf, copyStore, copyStoreIfDue, problemsOf } from "./copy.ts";
import { copyFiles, storeFile, storeFolder } from "./places.ts";
import { openOrRestore, type Restored, restoreStore } from "./restore.ts";
import { type OpenStore, openStore } from "./store.ts";

let state: string;
let file: string;
const opened: OpenStore[] = [];
const { hold } = processes();

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

test("is for its owner alone, on the disk at each commit, and keeps to its references", async () => {
  const { database, audit } = await store();
  await audit.add({ actor: "a", action: "b", values: {} });
  for (const name of await readdir(storeFolder(state)))
    expect((await stat(join(storeFolder(state), name))).mode & 0o777, name).toBe(0o600);
  expect((await stat(storeFolder(state))).mode & 0o777).toBe(0o700);
  const pragma = async (name: string) => {
    const { rows } = await database.run((db) => sql`${sql.raw(`pragma ${name}`)}`.execute(db));
    return Object.values(rows[0] as object)[0];
  };
  expect(await pragma("journal_mode")).toBe("wal");
  expect(await pragma("synchronous")).toBe(2);
  expect(await pragma("foreign_keys")).toBe(1);
});

test("a row of a journal cannot be replaced either", async () => {
  const { database, journals } = await store();
  await journals.add("order", "ville", { name: "one" });
  const replaced = database.run((db) =>
    sql`insert or replace into journal_line values ('order', 'ville', 1, 0, '{}')`.execute(db),
  );
  await expect(replaced).rejects.toThrow("never changed");
});

test("rights that are too wide are told, and are put right when it is opened", async () => {
  await order("one");
  await chmod(file, 0o644);
  const { close } = await openStore({ state });
  await close();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await chmod(storeFolder(state), 0o700);
  expect((await checkStore({ state })).problems).toEqual([]);
});

test("ten processes' first opening at once makes one schema", async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => openStore({ state })));
  await Promise.all(all.map(({ audit }, index) => audit.add({ actor: `${index}`, action: "x", values: {} })));
  expect(await all[0]?.audit.page()).toHaveLength(10);
  for (const each of all) await each.close();
});

test("a schema that is newer than this program is refused and left as it is", async () => {
  await order("one");
  const direct = new DatabaseSync(file);
  direct.exec("insert into kysely_migration (name, timestamp) values ('9999-later', 'x')");
  direct.close();
  await expect(openStore({ state })).rejects.toMatchObject({
    code: "STORE_NEWER",
    values: { place: file, newer: "9999-later" },
  });
});

test("a disk that is full is told, and what was there stays", async () => {
  const full = await store();
  await full.journals.add("order", "ville", { name: "one" });
  await full.database.run(async (db) => {
    const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
    await sql`${sql.raw(`pragma max_page_count = ${rows[0]?.page_count}`)}`.execute(db);
  });
  const long = "x".repeat(100_000);
  await expect(full.journals.add("order", "ville", { name: long })).rejects.toMatchObject({
    code: "STORE_FULL",
    values: { place: file },
  });
  expect(await names(full)).toEqual(["one"]);
  expect(problemsOf(file)).toEqual([]);
});

test("who is kept waiting goes on; nobody waits for ever", async () => {
  const mine = await store();
  const other = new DatabaseSync(file);
  other.exec("begin immediate");
  const written = mine.audit.add({ actor: "a", action: "b", values: {} });
  await setTimeout(700);
  other.exec("rollback");
  other.close();
  await written;
});

test("what a transaction has read stays so until it has written: it runs once", async () => {
  const [mine, other] = [await store(), await store()];
  let runs = 0;
  const written = mine.database.exclusively("one", async (db) => {
    runs += 1;
    await db.selectFrom("audit").selectAll().execute();
    await setTimeout(100);
    await db.insertInto("zone_refresh").values({ zone: "a.fr", began: 1 }).execute();
  });
  await setTimeout(20);
  await other.audit.add({ actor: "a", action: "b", values: {} });
  await written;
  expect(runs).toBe(1);
});

test("a holder that gives a sign of life in the very last moment keeps its operation and its turn", async () => {
  const far = await openStore({ state }, { identity: elsewhere() });
  const direct = new DatabaseSync(file, { timeout: 1000 });
  let [now, beats] = [0, 0];
  // It is asked for between the look at the line and the removal.
  const monotonic = () => {
    if (now > 0 && beats++ === 0) direct.exec("update holder set beat = beat + 1 where pid = 1");
    return now;
  };
  const near = await openStore({ state }, { monotonic });
  opened.push(far, near);
  const id = "20261123T100000-00aa";
  await far.operations.begin({ id, verb: "update", stack: "prod", actor: "you", request: {} });
  await near.operations.sweep();
  now += 20_000;
  expect(await near.operations.sweep()).toEqual([]);
  expect(beats).toBeGreaterThan(0);
  expect(await far.operations.find(id)).toMatchObject({ state: "running" });

  const held = await far.turns.enter("stack prod", { what: "far", actor: "you" });
  const controller = new AbortController();
  const dead: string[] = [];
  const entered = near.turns.enter("stack prod", {
    what: "near",
    actor: "me",
    signal: controller.signal,
    onDead: ({ what }) => dead.push(what),
  });
  await setTimeout(300);
  beats = 0;
  now += 20_000;
  await expect.poll(() => beats).toBeGreaterThan(1);
  await held.held();
  controller.abort();
  await expect(entered).rejects.toThrow("CANCELLED");
  expect(dead).toEqual([]);
  direct.close();
});

test("a folder that cannot be written is told", async () => {
  await writeFile(storeFolder(state), "");
  await expect(openStore({ state })).rejects.toMatchObject({ code: "STORE_UNUSABLE" });
});

test("killed while they write, processes leave it whole, and every line that was said to be there", async () => {
  for (let round = 0; round < 5; round += 1) {
    const child = await hold({ state }, { kind: "flood", client: "ville" });
    let told = "";
    child.stdout?.on("data", (text: Buffer) => {
      told += text.toString();
    });
    await setTimeout(60 + 40 * round);
    child.kill("SIGKILL");
    await new Promise((done) => child.once("close", done));
    const last = Number(told.trim().split("\n").at(-1) ?? 0);
    const { journals, close } = await openStore({ state });
    const lines = await journals.read("order", "ville");
    expect(lines.length).toBeGreaterThanOrEqual(last);
    expect(lines.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
    await close();
    expect(problemsOf(file)).toEqual([]);
  }
});

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
    expect((await checkStore({ state })).problems.join()).toMatch(/damaged|malformed|invalid|database/);
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
    expect((await checkStore({ state })).problems).toEqual([]);
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
