/** A store's PostgreSQL that crashes, refuses or is newer. Not proven: networks that swallow packets, replicas. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { checkStore } from "../../outside/store/check.ts";
import { openStore, type StorePlace } from "../../outside/store/store.ts";
import { type PostgresServer, startPostgres } from "../helpers/postgres.ts";
import { processes } from "../helpers/store/processes.ts";
import { elsewhere } from "../helpers/store/stores.ts";

let server: PostgresServer;
let state: string;
let url: string;
let place: StorePlace;
const { hold } = processes();

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "geoclic-store-"));
  url = await server.database();
  place = { state, url };
});
afterEach(() => rm(state, { recursive: true, force: true }));

test("a password is never told", async () => {
  const secret = url.replace("fleet@", "fleet:geheim@");
  const store = await openStore({ state, url: `${secret}&password=geheim` });
  expect(store.place).toMatch(/^postgres:\/\/fleet@localhost\/store\d+$/);
  await store.close();
  const missing = { state, url: secret.replace(/store\d+/, "nothing") };
  const refused = await openStore(missing).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "STORE_UNUSABLE" });
  expect(JSON.stringify(refused) + String(refused)).not.toContain("geheim");
});

test("a schema that is newer than this program is refused", async () => {
  const store = await openStore(place);
  await store.database.run((db) =>
    sql`insert into kysely_migration (name, timestamp) values ('9999-later', 'x')`.execute(db),
  );
  await store.close();
  await expect(openStore(place)).rejects.toMatchObject({
    code: "STORE_NEWER",
    values: { newer: "9999-later" },
  });
});

test("many that open a new store at once make one schema", async () => {
  const all = await Promise.all(Array.from({ length: 6 }, () => openStore(place)));
  await Promise.all(all.map(({ audit }, index) => audit.add({ actor: `${index}`, action: "x", values: {} })));
  expect(await all[0]?.audit.page()).toHaveLength(6);
  for (const each of all) await each.close();
});

test("a server that crashes is told; what was said to be written is there, and the same store goes on", async () => {
  const store = await openStore(place);
  await store.journals.add("order", "ville", { event: "one" });
  const turn = await store.turns.enter("stack prod", { what: "update", actor: "me" });
  await server.kill();
  await expect(store.journals.add("order", "ville", { event: "two" })).rejects.toMatchObject({
    code: "STORE_UNREACHABLE",
  });
  expect((await checkStore(place)).failure?.code).toBe("STORE_UNREACHABLE");
  await server.start();
  await store.journals.add("order", "ville", { event: "three" });
  const events = (await store.journals.read("order", "ville")).map(({ event }) => event.event);
  expect(events).toEqual(["one", "three"]);
  await turn.held();
  await turn.release();
  expect((await checkStore(place)).failure).toBeUndefined();
  await store.close();
});

test("a process that is killed in the middle of a transaction holds nobody up", async () => {
  const store = await openStore(place);
  for (let round = 0; round < 3; round += 1) {
    const child = await hold(place, { kind: "flood", client: "ville" });
    await setTimeout(200 + 50 * round);
    child.kill("SIGKILL");
    await store.journals.add("order", "ville", { event: "mine", round });
  }
  const lines = await store.journals.read("order", "ville");
  expect(lines.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
  expect(lines.filter(({ event }) => event.event === "mine")).toHaveLength(3);
  await store.close();
});

test("a process of another machine that is killed: its operation is interrupted, and its turn free, within 30 s", async () => {
  const store = await openStore(place);
  const id = "20261123T100000-00aa";
  const working = await hold(place, { kind: "operation", id }, elsewhere());
  const holding = await hold(place, { kind: "hold", key: "stack prod" }, elsewhere());
  const turn = store.turns.enter("stack prod", { what: "mine", actor: "me" });
  // It lives for longer than a silence may last.
  await setTimeout(23_000);
  expect((await store.operations.find(id))?.state).toBe("running");
  expect(await store.turns.line("stack prod")).toHaveLength(2);
  const killed = performance.now();
  for (const child of [working, holding]) child.kill("SIGKILL");
  await (await turn).release();
  await expect
    .poll(async () => (await store.operations.find(id))?.state, { timeout: 30_000, interval: 500 })
    .toBe("interrupted");
  expect(performance.now() - killed).toBeLessThan(30_000);
  await store.close();
});
