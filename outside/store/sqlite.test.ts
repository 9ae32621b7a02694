/**
 * The file of the store: rights, versions, a full disk, processes that wait, that are killed, that live after all.
 * Not proven: a power cut (fsync is the kernel's), a full file system (SQLite's own limit of pages stands for it).
 */
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { processes } from "../../test/helpers/store/processes.ts";
import { elsewhere } from "../../test/helpers/store/stores.ts";
import { problemsOf } from "./copy.ts";
import { storeFile, storeFolder } from "./places.ts";
import { openSqlite } from "./sqlite.ts";
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

test("rights that are too wide are put right when it is opened", async () => {
  await order("one");
  await chmod(file, 0o644);
  await chmod(storeFolder(state), 0o755);
  await (await openStore({ state })).close();
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(storeFolder(state))).mode & 0o777).toBe(0o700);
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
  await written;
  const hasty = await openSqlite(file, 300);
  other.exec("begin immediate");
  const refused = hasty.exclusively("one", (db) => db.deleteFrom("zone_refresh").execute());
  await expect(refused).rejects.toMatchObject({ code: "STORE_BUSY", values: { place: file } });
  other.close();
  await hasty.exclusively("one", (db) => db.deleteFrom("zone_refresh").execute());
  await hasty.close();
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

test("a process that slept for days is not forgotten; one that is dead is, and a stranger enters anew", async () => {
  const { database, turns } = await store();
  const [mine, far] = [await store(), await openStore({ state }, { identity: elsewhere() })];
  opened.push(far);
  for (const each of [mine, far])
    await (await each.turns.enter("stack prod", { what: "x", actor: "me" })).release();
  await database.run((db) => db.updateTable("holder").set({ beaten: 1 }).execute());
  await (await turns.enter("stack prod", { what: "x", actor: "me" })).release();
  const left = await database.run((db) => db.selectFrom("holder").select("pid").execute());
  expect(left.map(({ pid }) => pid)).toEqual([process.pid, process.pid]);
  await (await mine.turns.enter("stack prod", { what: "x", actor: "me" })).release();
  // It finds out at its next beat.
  const again = () =>
    far.turns.enter("stack prod", { what: "x", actor: "me" }).then(({ release }) => release());
  await expect
    .poll(
      () =>
        again().then(
          () => true,
          () => false,
        ),
      { timeout: 10_000, interval: 500 },
    )
    .toBe(true);
});
