/**
 * Journals of operations on a real disk: written as it happens, read by others, cut by a crash, kept within limits.
 * Not proven: a full disk.
 */
import { appendFile, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OperationEvent, Told } from "../core/operation/journal.ts";
import { isCancelled, operationJournals } from "./operation-journals.ts";

let state: string;
const id = (number: number) => `20261123T1000${String(number).padStart(2, "0")}-00aa`;
const begin = (name: string): Told => ({
  kind: "begin",
  id: name,
  verb: "update",
  stack: "prod",
  actor: "Jeanne",
  request: { all: true },
  pid: process.pid,
  host: hostname(),
});

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "geoclic-journal-"));
});

afterEach(() => rm(state, { recursive: true, force: true }));

test("what is told is read back while it runs, and after", async () => {
  const journals = operationJournals(state, "organization/geoclic-fleet/prod");
  const { tell } = journals.create(id(1));
  tell(begin(id(1)));
  tell({ kind: "plan", waves: [["a"], ["b"]], targets: { a: "r", b: "r" } });
  tell({ kind: "wave", number: 1, clients: ["a"] });
  tell({ kind: "step", client: "a", step: "delivery" });
  tell({ kind: "step-end", client: "a", step: "delivery", ok: true });
  tell({ kind: "client", client: "a", outcome: "done", release: "r" });
  expect(await operationJournals(state, "prod").find(id(1))).toMatchObject({
    state: "running",
    wave: 1,
    clients: [
      { client: "a", outcome: "done", release: "r", steps: [{ step: "delivery", ok: true }] },
      { client: "b", steps: [] },
    ],
  });
  tell({ kind: "end", outcome: "failed", cause: "b" });
  expect(await journals.list()).toMatchObject([{ id: id(1), state: "failed", cause: "b", actor: "Jeanne" }]);
  expect((await stat(join(state, "operations/prod", `${id(1)}.jsonl`))).mode & 0o777).toBe(0o600);
});

test("one whose process has died is interrupted; a line that was cut is passed over", async () => {
  const journals = operationJournals(state, "prod");
  const { tell } = journals.create(id(1));
  tell({ ...begin(id(1)), pid: 4_194_304 } as Told);
  await appendFile(join(state, "operations/prod", `${id(1)}.jsonl`), '{"kind":"client","cli');
  expect(await journals.find(id(1))).toMatchObject({ state: "interrupted", clients: [] });
});

test("is followed from its beginning to its end by somebody else", async () => {
  const journals = operationJournals(state, "prod");
  const { tell } = journals.create(id(1));
  tell(begin(id(1)));
  const seen: OperationEvent["kind"][] = [];
  const following = (async () => {
    for await (const { kind } of operationJournals(state, "prod").follow(id(1))) seen.push(kind);
  })();
  await expect.poll(() => seen).toEqual(["begin"]);
  tell({ kind: "line", text: "one" });
  await expect.poll(() => seen).toEqual(["begin", "line"]);
  tell({ kind: "end", outcome: "succeeded" });
  await following;
  expect(seen).toEqual(["begin", "line", "end"]);
});

test("is cancelled by a file; one that has ended is not", async () => {
  const journals = operationJournals(state, "prod");
  const { tell, cancelFile } = journals.create(id(1));
  tell(begin(id(1)));
  expect(isCancelled(cancelFile)).toBe(false);
  await journals.cancel(id(1));
  expect(isCancelled(cancelFile)).toBe(true);
  tell({ kind: "end", outcome: "cancelled" });
  await expect(journals.cancel(id(1))).rejects.toThrow("OPERATION_ENDED");
});

describe("kept within limits", () => {
  test.each([
    ["number", { count: 2 }, [3, 4]],
    ["age", { days: 1 }, [2, 3, 4]],
    ["size", { bytes: 700 }, [3, 4]],
  ])("of %s, the oldest go first", async (_, retention, left) => {
    const folder = join(state, "operations/prod");
    for (const number of [1, 2, 3]) {
      const { tell } = operationJournals(state, "prod").create(id(number));
      tell(begin(id(number)));
      tell({ kind: "line", text: "x".repeat(300) });
    }
    const old = new Date(Date.now() - 2 * 86_400_000);
    await utimes(join(folder, `${id(1)}.jsonl`), old, old);
    operationJournals(state, "prod", retention)
      .create(id(4))
      .tell(begin(id(4)));
    const names = () => readdir(folder).then((found) => found.sort());
    await expect.poll(names).toEqual(left.map((number) => `${id(number)}.jsonl`));
  });
});

test.each([
  "",
  "x",
  "../x",
  id(1).replace("T", "/"),
  `${id(1)}\n`,
  "a".repeat(10_000),
  "-h",
])("no file is looked for under the id %j", async (name) => {
  await expect(operationJournals(state, "prod").find(name)).rejects.toThrow("OPERATION_UNKNOWN");
});

test("output beyond its limit is left out, what was done is told", async () => {
  const journals = operationJournals(state, "prod");
  const { tell } = journals.create(id(1));
  tell(begin(id(1)));
  const file = join(state, "operations/prod", `${id(1)}.jsonl`);
  await writeFile(
    file,
    `${await readFile(file, "utf8")}${`${JSON.stringify({ kind: "line", text: "y".repeat(1000), time: 1 })}\n`.repeat(17_000)}`,
  );
  tell({ kind: "line", text: "last" });
  tell({ kind: "line", text: "too much" });
  tell({ kind: "client", client: "a", outcome: "done" });
  const text = await readFile(file, "utf8");
  expect(text).toContain('"last"');
  expect(text).not.toContain("too much");
  expect(text).toContain('"outcome":"done"');
});
