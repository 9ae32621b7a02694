/** The store as doors open it. Not proven: what a door makes of what it is told. */
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { orderJournal } from "../ovh/order-journal.ts";
import { copyStore } from "./copy.ts";
import { openOperatorStore } from "./operator-store.ts";
import { storeFile } from "./places.ts";

let state: string;
const told = { restored: vi.fn(), imported: vi.fn() };

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "geoclic-store-"));
  vi.clearAllMocks();
  await orderJournal(state, "ville").write({ event: "ordered", orderId: 7 });
});
afterEach(() => rm(state, { recursive: true, force: true }));

async function lines(): Promise<number> {
  const store = await openOperatorStore({ state }, told);
  const found = await store.journals.read("order", "ville");
  await store.close();
  return found.length;
}

test("takes over the home's files once, and tells it", async () => {
  expect([await lines(), await lines()]).toEqual([1, 1]);
  expect(told.imported.mock.calls).toEqual([[{ files: ["orders/ville.jsonl"], left: [] }]]);
  expect(told.restored).not.toHaveBeenCalled();
});

test("is restored where it is damaged, and takes over what the copy did not have yet", async () => {
  await lines();
  await copyStore(state);
  await orderJournal(state, "ville").write({ event: "rebuilt" });
  await lines();
  await writeFile(storeFile(state), "x".repeat(5000));
  expect(await lines()).toBe(2);
  expect(told.restored).toHaveBeenCalledTimes(1);
});

test("a file that cannot be understood closes it again: nobody holds it open", async () => {
  await appendFile(join(state, "orders/ville.jsonl"), "{}\n");
  await expect(lines()).rejects.toMatchObject({ code: "IMPORT_HOME" });
  await rm(join(state, "orders"), { recursive: true });
  expect(await lines()).toBe(0);
});
