/** The budget of certificates, spent by several processes. Not proven: two operators' machines, which have two ledgers. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { acmeLedger } from "./acme-ledger.ts";

const time = Date.UTC(2026, 10, 23);
const hour = 3_600_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-ledger-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const request = (domain: string, at = time, server = "s") => ({ domain, server, time: at });

test("towns that ask at the same time cannot pass the limit together", async () => {
  const issued = Array.from({ length: 42 }, (_, i) => ({
    ...request(`v${i}.geoclic.fr`),
    outcome: "issued",
  }));
  await writeFile(join(folder, "acme-ledger.json"), JSON.stringify(issued));
  const ask = (name: string) => acmeLedger(folder).spend(request(`${name}.geoclic.fr`));
  const asked = await Promise.all(["a", "b", "c", "d", "e", "f"].map(ask));
  expect(asked.filter(({ ok }) => ok)).toHaveLength(3);
});

test("what was asked and never told counts as issued", async () => {
  for (let i = 0; i < 4; i += 1)
    expect(await acmeLedger(folder).spend(request("a.fr", time + i))).toEqual({ ok: true });
  expect(await acmeLedger(folder).spend(request("a.fr", time + 5))).toMatchObject({
    ok: false,
    limit: "4 certificates per name and 7 days",
  });
});

test("a failure gives the certificate back, and counts as one within the hour", async () => {
  const ledger = acmeLedger(folder);
  for (let i = 0; i < 4; i += 1) {
    await ledger.spend(request("a.fr", time + i));
    await ledger.fail(request("a.fr", time + i));
  }
  expect(await ledger.spend(request("a.fr", time + 5))).toMatchObject({
    limit: "4 failures per name and hour",
  });
  expect(await ledger.spend(request("a.fr", time + hour + 5))).toEqual({ ok: true });
});

test("a refusal spends nothing", async () => {
  const ledger = acmeLedger(folder);
  for (let i = 0; i < 6; i += 1) await ledger.spend(request("a.fr", time + i));
  expect(await ledger.spend(request("a.fr", time + 100))).toMatchObject({ ok: false, used: 4 });
});

test("what is a week old is forgotten; another server's count is apart", async () => {
  const ledger = acmeLedger(folder);
  for (let i = 0; i < 4; i += 1) await ledger.spend(request("a.fr", time));
  expect(await ledger.spend(request("a.fr", time, "other"))).toEqual({ ok: true });
  expect(await ledger.spend(request("a.fr", time + 168 * hour))).toEqual({ ok: true });
});

test("fails on a ledger that cannot be read, and leaves no lock", async () => {
  await writeFile(join(folder, "acme-ledger.json"), "{");
  await expect(acmeLedger(folder).spend(request("a.fr"))).rejects.toThrow();
  expect(await readdir(folder)).toEqual(["acme-ledger.json"]);
});

test.each([
  ["half a file", '[{"domain":'],
  ["another form", '{"events":[]}'],
  ["nothing", ""],
])("fails on a ledger that is %s, names the file, and leaves it as it is", async (_, text) => {
  const file = join(folder, "acme-ledger.json");
  await writeFile(file, text);
  const request = { domain: "ville.fr", server: "https://acme/dir", time };
  const ledger = acmeLedger(folder);
  for (const work of [() => ledger.spend(request), () => ledger.fail(request)])
    await expect(work()).rejects.toMatchObject({ code: "LEDGER_BROKEN", values: { file } });
  expect(await readFile(file, "utf8")).toBe(text);
});
