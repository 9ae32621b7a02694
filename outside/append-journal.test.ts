/** Journals on a real disk, cut in the middle of a line. Not proven: that a power cut loses nothing (fsync is the kernel's). */
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { appendJournal } from "./append-journal.ts";

const Line = z.object({ time: z.string(), name: z.string() });
let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-journal-"));
  file = join(folder, "orders/ville.jsonl");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const journal = () => appendJournal<{ name: string }, z.infer<typeof Line>>(file, Line, "ORDER_JOURNAL");
const names = async () => (await journal().read()).map(({ name }) => name);

test("keeps what is written, for its owner alone; none is an empty one", async () => {
  expect(await names()).toEqual([]);
  await journal().write({ name: "one" });
  await journal().write({ name: 'two, Côté "lac"\n' });
  expect(await names()).toEqual(["one", 'two, Côté "lac"\n']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test("cut at any byte of its last line, it reads without it and takes the next one", async () => {
  await journal().write({ name: "one" });
  const whole = (await readFile(file)).length;
  await journal().write({ name: "é" });
  const full = await readFile(file);
  for (let length = whole; length < full.length; length += 1) {
    await writeFile(file, full);
    await truncate(file, length);
    expect(await names(), `${length}`).toEqual(["one"]);
    await journal().write({ name: "next" });
    expect(await names(), `${length}`).toEqual(["one", "next"]);
  }
});

test("a whole line that is no event is told with its file, and stays", async () => {
  await journal().write({ name: "one" });
  await appendFile(file, '{"time":"x"}\n');
  await expect(journal().read()).rejects.toMatchObject({ code: "ORDER_JOURNAL", values: { file } });
  expect((await readFile(file, "utf8")).split("\n")).toHaveLength(3);
});
