/** Proves the faults of whole requests; those of orders and tasks are proven beside them. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { caller } from "./caller.ts";
import { type Emulator, startEmulator } from "./emulator.ts";
import type { Fault, FaultKind } from "./faults.ts";

let clock = Date.UTC(2026, 10, 23);
let emulator: Emulator;
const { call, get } = caller(
  () => emulator.url,
  () => clock,
);
const root = "/domain/zone/geoclic.test";
const make = () => call("POST", `${root}/record`, { fieldType: "A", subDomain: "a", target: "203.0.113.1" });
const set = (fault: FaultKind, change: Partial<Fault> = {}) =>
  emulator.faults.add({ method: "POST", path: `${root}/record`, fault, times: 1, ...change });

beforeEach(async () => {
  emulator = await startEmulator({ now: () => clock });
  emulator.addZone("geoclic.test");
});
afterEach(() => emulator.close());

test.each<[number, unknown]>([
  [400, { class: "Client::BadRequest", message: "Bad request" }],
  [403, { class: "Client::Forbidden", message: "You are not allowed to call this route" }],
  [409, { class: "Client::Conflict", message: "Conflict" }],
  [429, { class: "Client::TooManyRequests", message: "Too many requests" }],
  [460, { message: "This service is expired" }],
  [500, { class: "Server::InternalServerError", message: "Internal server error" }],
  [503, { class: "Server::ServiceUnavailable", message: "Service unavailable" }],
])("%i comes in OVH's shape, without effect, and passes", async (status, value) => {
  set({ kind: "status", status }, { times: 2 });
  for (const answer of [await make(), await make()]) {
    expect(answer.status).toBe(status);
    expect(answer.value).toEqual(value);
    expect(answer.queryId).toMatch(/^EU\.ext-/);
  }
  expect(await get(`${root}/record`)).toEqual([]);
  expect((await make()).status).toBe(200);
});

test("an answer can be worded, or be any other", async () => {
  set({ kind: "status", status: 400, message: "The subscription is not active yet" });
  expect((await make()).value).toEqual({
    class: "Client::BadRequest",
    message: "The subscription is not active yet",
  });
  const body = { class: "Client::Forbidden", message: "no", details: { unauthorizedActionsByIAM: "a,b" } };
  set({ kind: "status", status: 403, body });
  expect((await make()).value).toEqual(body);
});

describe("a lost connection", () => {
  test("before the effect leaves nothing", async () => {
    set({ kind: "dropBefore" });
    await expect(make()).rejects.toThrow();
    expect(await get(`${root}/record`)).toEqual([]);
  });

  test("after the effect leaves it, once", async () => {
    set({ kind: "dropAfterEffect" });
    await expect(make()).rejects.toThrow();
    expect(await get(`${root}/record`)).toHaveLength(1);
  });

  test("is in the audit, without a status", async () => {
    set({ kind: "dropAfterEffect" });
    await expect(make()).rejects.toThrow();
    expect(emulator.audit.at(-1)).toMatchObject({ method: "POST", path: `${root}/record`, status: 0 });
  });
});

test("a request that hangs gets no answer and holds nobody else up", async () => {
  set({ kind: "hang" });
  const hanging = make().then(
    () => "answered",
    () => "cut",
  );
  expect(await get(`${root}/record`)).toEqual([]);
  const first = await Promise.race([hanging, new Promise((resolve) => setTimeout(resolve, 50, "hangs"))]);
  expect(first).toBe("hangs");
  await emulator.close();
  expect(await hanging).toBe("cut");
});

test("an id comes as 0, and the record is there", async () => {
  set({ kind: "idZero" });
  expect((await make()).value).toMatchObject({ id: 0, subDomain: "a" });
  expect(await get(`${root}/record`)).toEqual([expect.any(Number)]);
});

test("a fault waits its turn", async () => {
  set({ kind: "status", status: 500 }, { after: 2, times: 1 });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await make()).status);
  expect(statuses).toEqual([200, 200, 500, 200]);
});

test.each([
  ["/domain/zone/*", "/domain/zone/geoclic.test", 500],
  ["/domain/zone/*", "/domain/zone/geoclic.test/record", 200],
  ["/domain/**", "/domain/zone/geoclic.test/record", 500],
  ["/domain/zone/geoclic.test", "/domain/zone", 200],
  ["/domain.zone", "/domain/zone", 200],
])("%s against %s: %i", async (path, called, status) => {
  set({ kind: "status", status: 500 }, { method: "*", path });
  expect((await call("GET", called)).status).toBe(status);
});

test("faults that are cleared are gone", async () => {
  set({ kind: "status", status: 500 }, { times: 5 });
  emulator.faults.clear();
  expect((await make()).status).toBe(200);
});

test("beyond so many in a second, requests of a kind are refused", async () => {
  set({ kind: "rateLimit", perSecond: 2 }, { method: "GET", path: "/domain/**", times: 100 });
  const statusOf = async (path: string) => (await call("GET", path)).status;
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push(await statusOf("/domain/zone"));
  expect(statuses).toEqual([200, 200, 429, 429]);
  expect(await statusOf("/vps")).toBe(200);
  clock += 1000;
  expect(await statusOf("/domain/zone")).toBe(200);
});

test("a whole API can have a limit", async () => {
  await emulator.close();
  emulator = await startEmulator({ now: () => clock, requestsPerSecond: 2 });
  const statuses = [];
  for (const path of ["/vps", "/me", "/domain/zone"]) statuses.push((await call("GET", path)).status);
  expect(statuses).toEqual([200, 200, 429]);
});
