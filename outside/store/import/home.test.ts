/**
 * A home that the files of before have written, taken over by the store. The files' own writers make it.
 * Not proven: homes of versions that no longer exist.
 */
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acmeLedger } from "../../acme-ledger.ts";
import { operationJournals } from "../../operation-journals.ts";
import { orderJournal } from "../../ovh/order-journal.ts";
import { retirementJournal } from "../../retirement-journal.ts";
import { refreshZone } from "../../zone-refresh.ts";
import { storedOrderJournal, storedRetirementJournal } from "../ports/client-journals.ts";
import { storedJournals } from "../ports/operation-journals.ts";
import { type OpenStore, openStore } from "../store.ts";
import { importHome } from "./home.ts";

let state: string;
let store: OpenStore;
const id = (number: number) => `20261123T1000${String(number).padStart(2, "0")}-00aa`;
const time = Date.now();

/** `pid`: 4194304 is one more than Linux gives. */
function operation(number: number, { isEnded = true, pid = 4_194_304, stack = "prod" } = {}): void {
  const { tell } = operationJournals(state, stack).create(id(number));
  const name = id(number);
  const request = { all: true };
  tell({ kind: "begin", id: name, verb: "update", stack, actor: "Jeanne", request, pid, host: hostname() });
  tell({ kind: "plan", waves: [["a"]], targets: { a: "r" } });
  tell({ kind: "step", client: "a", step: "delivery" });
  tell({ kind: "line", client: "a", text: "Côté" });
  if (!isEnded) return;
  tell({ kind: "client", client: "a", outcome: "failed", cause: "why" });
  tell({ kind: "end", outcome: "failed", cause: "a failed" });
}

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "geoclic-home-"));
  const ledger = acmeLedger(state);
  for (let number = 0; number < 4; number += 1)
    await ledger.spend({ domain: "a.fr", server: "s", time: time + number });
  await ledger.fail({ domain: "a.fr", server: "s", time });
  await orderJournal(state, "ville").write({ event: "ordered", orderId: 7 });
  await orderJournal(state, "ville").write({ event: "delivered", serviceName: "vps-1" });
  await orderJournal(state, "autre").write({ event: "ordered", orderId: 8 });
  await retirementJournal(state, "ville").write({ event: "stopped" });
  await refreshZone(state, "a.fr", time - 1, async () => {});
  await mkdir(join(state, "ovh"));
  await writeFile(join(state, "ovh/pace.json"), JSON.stringify([time, time]));
  operation(1);
  operation(2, { isEnded: false });
  operation(3, { stack: "test" });
  store = await openStore({ state });
});

afterEach(async () => {
  await store.close();
  await rm(state, { recursive: true, force: true });
});

const take = () => importHome(state, store.database);
const journals = (stack: string) =>
  storedJournals(store, stack, { cancelFolder: join(state, "cancelled"), actor: "me" });

async function contents(): Promise<Record<string, string>> {
  const names = await readdir(state, { recursive: true, withFileTypes: true });
  const files = names.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const kept = files.filter((file) => !file.startsWith(join(state, "store"))).sort();
  return Object.fromEntries(
    await Promise.all(kept.map(async (file) => [file, await readFile(file, "utf8")])),
  );
}

test("everything that the files tell, the store tells; the files stay as they are", async () => {
  const before = await contents();
  const filed = operationJournals(state, "prod");
  const views = await Promise.all([filed.find(id(1)), filed.find(id(2))]);
  const { files, left } = await take();
  expect(left).toEqual([]);
  expect(files).toHaveLength(9);
  expect(await contents()).toEqual(before);

  expect(await Promise.all([journals("prod").find(id(1)), journals("prod").find(id(2))])).toEqual(views);
  expect(await journals("prod").events(id(1))).toEqual(await filed.events(id(1)));
  const listed = await journals("prod").list();
  expect(listed.map((view) => [view.id, view.state, view.cause])).toEqual([
    [id(2), "interrupted", undefined],
    [id(1), "failed", "a failed"],
  ]);
  expect(listed[1]?.clients).toMatchObject([{ client: "a", outcome: "failed" }]);
  expect(await journals("test").list()).toHaveLength(1);
  const order = storedOrderJournal(store, "ville");
  expect(await order.read()).toEqual(await orderJournal(state, "ville").read());
  expect(await order.otherOrders()).toEqual([{ client: "autre", orderId: 8 }]);
  const retirement = storedRetirementJournal(store, state, "ville");
  expect(await retirement.read()).toEqual(await retirementJournal(state, "ville").read());
  // Three count as given out, and one as failed: one more is allowed.
  const asked = { domain: "a.fr", server: "s", time: time + 10 };
  expect((await store.certificates.spend(asked)).ok).toBe(true);
  expect((await store.certificates.spend(asked)).ok).toBe(false);
  expect(await store.zones.refresh("a.fr", time - 1, async () => {})).toBe(false);
  expect(await store.pace.book("ovh", 2)).toBeGreaterThan(0);
});

test("a second time nothing is taken over, and nothing is there twice", async () => {
  await take();
  expect(await take()).toEqual({ files: [], left: [] });
  expect(await storedOrderJournal(store, "ville").read()).toHaveLength(2);
  expect(await journals("prod").list()).toHaveLength(2);
  const counted = await store.database.run((db) =>
    db.selectFrom("certificate_request").selectAll().execute(),
  );
  expect(counted).toHaveLength(4);
});

test("what an older program adds afterwards is taken over too", async () => {
  await take();
  await orderJournal(state, "ville").write({ event: "rebuilt" });
  await acmeLedger(state).spend({ domain: "b.fr", server: "s", time: time + 20 });
  operation(4);
  expect((await take()).files.toSorted()).toEqual([
    "acme-ledger.json",
    `operations/prod/${id(4)}.jsonl`,
    "orders/ville.jsonl",
  ]);
  expect(await storedOrderJournal(store, "ville").read()).toMatchObject([
    { event: "ordered" },
    { event: "delivered" },
    { event: "rebuilt" },
  ]);
  const counted = await store.database.run((db) =>
    db.selectFrom("certificate_request").selectAll().execute(),
  );
  expect(counted).toHaveLength(5);
});

test("an operation that still runs under an older program is taken over when it has ended", async () => {
  operation(5, { isEnded: false, pid: process.pid });
  expect((await take()).left).toEqual([`operations/prod/${id(5)}.jsonl`]);
  expect(await journals("prod").find(id(5))).toBeUndefined();
  await appendFile(
    join(state, "operations/prod", `${id(5)}.jsonl`),
    `${JSON.stringify({ kind: "end", outcome: "succeeded", time: Date.now() })}\n`,
  );
  expect((await take()).files).toEqual([`operations/prod/${id(5)}.jsonl`]);
  expect(await journals("prod").find(id(5))).toMatchObject({ state: "succeeded" });
});

test("lines that a crash cut are passed over, as the files' readers do", async () => {
  await appendFile(join(state, "orders/ville.jsonl"), '{"time":"2026-');
  await appendFile(join(state, "operations/prod", `${id(2)}.jsonl`), '{"kind":"cl');
  await writeFile(join(state, "operations/prod", `${id(6)}.jsonl`), '{"kind":"beg');
  await take();
  expect(await storedOrderJournal(store, "ville").read()).toHaveLength(2);
  expect(await journals("prod").list()).toHaveLength(2);
  // The line is written again, by an older program: it goes on behind the cut.
  await orderJournal(state, "ville").write({ event: "rebuilt" });
  await take();
  expect(await storedOrderJournal(store, "ville").read()).toHaveLength(3);
});

test.each([
  ["orders/ville.jsonl", '{"event":"ordered"}\n'],
  ["retired/ville/journal.jsonl", "{}\n"],
  ["acme-ledger.json", "["],
])("%s that cannot be understood is told, and nothing of it is taken over", async (file, text) => {
  await appendFile(join(state, file), text);
  await expect(take()).rejects.toMatchObject({ code: "IMPORT_HOME", values: { file } });
  const imported = await store.database.run((db) => db.selectFrom("imported").select("file").execute());
  expect(imported.map((row) => row.file)).not.toContain(file);
});

test("a journal that tells something else than what was taken over is told", async () => {
  await take();
  const file = join(state, "orders/ville.jsonl");
  await writeFile(file, (await readFile(file, "utf8")).replace('"orderId":7', '"orderId":9'));
  await expect(take()).rejects.toMatchObject({ code: "IMPORT_HOME" });
  expect(await storedOrderJournal(store, "ville").read()).toMatchObject([{ orderId: 7 }, {}]);
});

test("a home without files is nothing to take over", async () => {
  const empty = await mkdtemp(join(tmpdir(), "geoclic-home-"));
  expect(await importHome(empty, store.database)).toEqual({ files: [], left: [] });
  await rm(empty, { recursive: true });
});
