/** Proves what records become in a zone, before and after its refresh. Whether they resolve is seen in the lab. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { caller } from "./caller.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
import { noHooks } from "./world.ts";

const clock = Date.UTC(2026, 10, 23);
let emulator: Emulator;
let published: string[];
const root = "/domain/zone/geoclic.test";
const { call, get } = caller(
  () => emulator.url,
  () => clock,
);
const make = (fieldType: string, target: string, subDomain = "ville", ttl?: unknown) =>
  call("POST", `${root}/record`, { fieldType, subDomain, target, ttl });
const refresh = () => call("POST", `${root}/refresh`);
const start = async (options: EmulatorOptions = {}) => {
  const publish = async (
    _: string,
    addresses: ReadonlyMap<string, readonly string[]>,
    gone: readonly string[],
  ) => {
    published = [
      ...[...addresses].map(([name, targets]) => `${name} ${targets.join()}`),
      ...gone.map((name) => `-${name}`),
    ];
  };
  emulator = await startEmulator({ hooks: { ...noHooks(), publish }, now: () => clock, ...options });
  emulator.addZone("geoclic.test");
};

beforeEach(async () => {
  published = [];
  await start();
});
afterEach(() => emulator.close());

test("a record shows at once and resolves after a refresh", async () => {
  const { value } = await make("A", "203.0.113.10");
  expect(value).toEqual({
    ...{ id: expect.any(Number), zone: "geoclic.test", subDomain: "ville" },
    ...{ fieldType: "A", target: "203.0.113.10", ttl: 0 },
  });
  expect(published).toEqual([]);
  expect(await get(`${root}/record/${value.id}`)).toEqual(value);
  const { serial } = await get(`${root}/soa`);
  expect(await refresh()).toMatchObject({ status: 200, value: null });
  expect(published).toEqual(["ville.geoclic.test 203.0.113.10"]);
  expect((await get(`${root}/soa`)).serial).toBe(serial + 1);
});

test("a record that is removed resolves until the refresh", async () => {
  const { value } = await make("A", "203.0.113.10");
  await refresh();
  published = [];
  expect((await call("DELETE", `${root}/record/${value.id}`)).value).toBeNull();
  expect(published).toEqual([]);
  await refresh();
  expect(published).toEqual(["-ville.geoclic.test"]);
  await refresh();
  expect(published).toEqual([]);
});

test("a change keeps the id; what is absent or null stays", async () => {
  const { id } = (await make("A", "203.0.113.10", "ville", 300)).value;
  expect((await call("PUT", `${root}/record/${id}`, { target: "203.0.113.11", ttl: null })).value).toBeNull();
  expect(await get(`${root}/record/${id}`)).toMatchObject({
    ...{ id, target: "203.0.113.11", subDomain: "ville", ttl: 300 },
  });
  await call("PUT", `${root}/record/${id}`, { subDomain: "" });
  await refresh();
  expect(published).toEqual(["geoclic.test 203.0.113.11"]);
});

test("records are found by type and by exact name; no name is the zone itself", async () => {
  const ids = [];
  for (const [type, target, name] of [
    ["A", "203.0.113.1", "a"],
    ["AAAA", "2001:db8::1", "a"],
    ["A", "203.0.113.2", "a.b"],
    ["A", "203.0.113.3", ""],
  ] as const)
    ids.push((await make(type, target, name)).value.id);
  const [a, aaaa, ab, apex] = ids;
  const list = (query: string) => get(`${root}/record${query}`);
  expect(await list("")).toEqual([a, aaaa, ab, apex]);
  expect(await list("?subDomain=a")).toEqual([a, aaaa]);
  expect(await list("?fieldType=A&subDomain=a")).toEqual([a]);
  expect(await list("?subDomain=")).toEqual([apex]);
  await refresh();
  expect(published).toContain("a.geoclic.test 203.0.113.1,2001:db8::1");
});

test("doubles are taken without a word", async () => {
  const first = await make("A", "203.0.113.10");
  const second = await make("A", "203.0.113.10");
  expect(second.value.id).not.toBe(first.value.id);
  expect(await get(`${root}/status`)).toEqual({ isDeployed: true, errors: null, warnings: null });
});

test("an alias beside an address is taken, told in the status only, and nothing resolves there", async () => {
  await make("A", "203.0.113.10");
  expect((await make("CNAME", "other.fr.")).status).toBe(200);
  const errors = ["ville: CNAME and other data"];
  expect(await get(`${root}/status`)).toEqual({ isDeployed: false, errors, warnings: null });
  await refresh();
  expect(published).toEqual([]);
});

test("a strict API refuses that alias, and the address beside one", async () => {
  await emulator.close();
  await start({ rules: { strictCname: true } });
  const refusal = { status: 409, value: { class: "Client::Conflict" } };
  await make("A", "203.0.113.10");
  expect(await make("CNAME", "other.fr.")).toMatchObject(refusal);
  const { id } = (await make("CNAME", "other.fr.", "alias")).value;
  expect(await make("A", "203.0.113.10", "alias")).toMatchObject(refusal);
  expect(await call("PUT", `${root}/record/${id}`, { subDomain: "ville" })).toMatchObject(refusal);
  expect(await get(`${root}/record`)).toHaveLength(2);
});

test.each([
  ["A", "somewhere"],
  ["A", "203.0.113.256"],
  ["A", "2001:db8::1"],
  ["AAAA", "203.0.113.1"],
  ["CNAME", "two words"],
  ["TXT", ""],
  ["WRONG", "203.0.113.1"],
])("a record %s %j is refused", async (type, target) => {
  expect(await make(type, target)).toMatchObject({ status: 400, value: { class: "Client::BadRequest" } });
  expect(await get(`${root}/record`)).toEqual([]);
});

test.each(["a b", "a..b", "é", "a."])("the name %j is refused", async (name) =>
  expect((await make("A", "203.0.113.1", name)).status).toBe(400));

test.each(["_acme-challenge.a", "*", "*.a", "A-1"])("the name %j is taken", async (name) =>
  expect((await make("A", "203.0.113.1", name)).status).toBe(200));

test.each([
  [0, 0],
  [1, 60],
  [59, 60],
  [60, 60],
  [2_147_483_647, 2_147_483_647],
  [undefined, 0],
  [null, 0],
])("a time to live of %s becomes %i", async (ttl, expected) =>
  expect((await make("A", "203.0.113.1", "ville", ttl)).value.ttl).toBe(expected));

test.each([-1, 1.5, "60", 2_147_483_648])("a time to live of %j is refused", async (ttl) =>
  expect((await make("A", "203.0.113.1", "ville", ttl)).status).toBe(400));

test("a text without quotes gets some", async () => {
  expect((await make("TXT", "hello")).value.target).toBe('"hello"');
  expect((await make("TXT", '"hello"')).value.target).toBe('"hello"');
});

test("a zone shows its servers and its text", async () => {
  await make("A", "203.0.113.10", "ville", 60);
  expect(await get("/domain/zone")).toEqual(["geoclic.test"]);
  expect(await get(root)).toMatchObject({
    ...{ name: "geoclic.test", dnssecSupported: true, hasDnsAnycast: false },
    nameServers: ["dns101.ovh.net", "ns101.ovh.net"],
    iam: { urn: "urn:v1:eu:resource:dnsZone:geoclic.test" },
  });
  expect(await get(`${root}/export`)).toContain("ville 60 IN A 203.0.113.10\n");
});

test("name servers that do not follow keep what they had, and the next refresh tells them again", async () => {
  await emulator.close();
  let fails = true;
  const told: number[] = [];
  const publish = async (_: string, addresses: ReadonlyMap<string, unknown>) => {
    if (fails) throw new Error("no name server answers");
    told.push(addresses.size);
  };
  await start({ hooks: { ...noHooks(), publish }, report: () => {} });
  await make("A", "203.0.113.10");
  const { serial } = await get(`${root}/soa`);
  expect(await refresh()).toMatchObject({ status: 500, value: { class: "Server::InternalServerError" } });
  expect((await get(`${root}/soa`)).serial).toBe(serial);
  expect(emulator.state.zones[0]?.published).toEqual([]);
  fails = false;
  expect((await refresh()).status).toBe(200);
  expect(told).toEqual([1]);
});
