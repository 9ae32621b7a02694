/**
 * Our own client of OVH's API and a zone through it, against the emulator over HTTP. Not proven: OVH itself.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { openOvh } from "../../outside/ovh/client.ts";
import { readCredentials } from "../../outside/ovh/credentials.ts";
import { openZone } from "../../outside/zone.ts";
import { FleetError } from "../../core/errors.ts";
import type { Ovh } from "../../core/ovh/port.ts";
import { labCredentials } from "../../lab/ovh/credentials.ts";
import { type Emulator, startEmulator } from "../../lab/ovh/emulator.ts";

let emulator: Emulator;
let state: string;
let ovh: Ovh;
let waited: number[];
const Names = z.array(z.string());
const { applicationKey, applicationSecret, consumerKey } = labCredentials;

const environment = (change: Record<string, string> = {}) => ({
  OVH_ENDPOINT: emulator.url,
  OVH_APPLICATION_KEY: applicationKey,
  OVH_APPLICATION_SECRET: applicationSecret,
  OVH_CONSUMER_KEY: consumerKey,
  ...change,
});
const open = (env: Record<string, string> = environment()) =>
  openOvh({ env, state, wait: async (milliseconds) => void waited.push(milliseconds) });

beforeEach(async () => {
  emulator = await startEmulator();
  emulator.addZone("geoclic.test");
  state = await mkdtemp(join(tmpdir(), "geoclic-ovh-"));
  waited = [];
  ovh = await open();
});
afterEach(async () => {
  await emulator.close();
  await rm(state, { recursive: true });
});

async function failure(work: Promise<unknown>): Promise<FleetError> {
  const error = await work.then(
    () => new Error("it succeeded, expected a failure"),
    (cause: unknown) => cause,
  );
  if (error instanceof FleetError) return error;
  throw error;
}
const requests = (method: string, path: string) =>
  emulator.audit.filter((each) => each.method === method && each.path === path).length;

test("requests are counted where one says, and wait as long as that says", async () => {
  const booked: unknown[] = [];
  const book = async (name: string, perMinute: number) => booked.push([name, perMinute]) * 1000;
  const paced = await openOvh({
    env: environment({ GEOCLIC_OVH_BUDGET: "7" }),
    state,
    pace: { book },
    wait: async (milliseconds) => void waited.push(milliseconds),
  });
  await paced.get("/domain/zone", { schema: Names });
  // OVH's clock is asked for first.
  expect(booked).toEqual([
    ["ovh", 7],
    ["ovh", 7],
  ]);
  expect(waited).toEqual([1000, 2000]);
  await expect(readFile(join(state, "ovh/pace.json"))).rejects.toThrow("ENOENT");
});

test("a signed request is taken, with a body and with special characters too", async () => {
  expect(await ovh.get("/domain/zone", { schema: Names })).toEqual(["geoclic.test"]);
  const body = { fieldType: "TXT", subDomain: "a", target: 'é <&> "x"', ttl: 60 };
  await ovh.post("/domain/zone/geoclic.test/record", { body });
  expect(emulator.state.zones[0]?.records[0]?.target).toBe('"é <&> "x""');
});

describe("trouble that may pass", () => {
  test.each([408, 429, 500, 502, 503] as const)("a GET bears %i and goes on", async (status) => {
    emulator.faults.add({ method: "GET", path: "/domain/zone", fault: { kind: "status", status }, times: 3 });
    expect(await ovh.get("/domain/zone", { schema: Names })).toEqual(["geoclic.test"]);
    expect(waited).toHaveLength(3);
    expect(waited[2]).toBeGreaterThan(waited[0] ?? 0);
  });

  test.each(["dropBefore", "dropAfterEffect"] as const)("a GET bears %s", async (kind) => {
    emulator.faults.add({ method: "GET", path: "/domain/zone", fault: { kind }, times: 1 });
    expect(await ovh.get("/domain/zone", { schema: Names })).toEqual(["geoclic.test"]);
  });

  test.each(["dropBefore", "dropAfterEffect"] as const)("a POST is not repeated after %s", async (kind) => {
    const path = "/domain/zone/geoclic.test/record";
    emulator.faults.add({ method: "POST", path, fault: { kind }, times: 1 });
    const body = { fieldType: "A", subDomain: "a", target: "203.0.113.1" };
    expect((await failure(ovh.post(path, { body }))).code).toBe("OVH_UNREACHABLE");
    expect(requests("POST", path)).toBe(1);
  });

  test("what never passes ends, with OVH's words and the query's number", async () => {
    emulator.faults.add({ method: "GET", path: "/domain/zone", fault: { kind: "status", status: 500 } });
    const short = await openOvh({ env: environment(), state, patience: 0 });
    const error = await failure(short.get("/domain/zone"));
    expect(error.message).toMatch(
      /OVH answers 500 to GET \/domain\/zone: Server::InternalServerError: .*query EU\.ext-1\./,
    );
  });
});

test.each([400, 403] as const)("%i is told at once", async (status) => {
  emulator.faults.add({ method: "GET", path: "/vps", fault: { kind: "status", status }, times: 1 });
  expect(await failure(ovh.get("/vps"))).toMatchObject({ code: "OVH_REFUSED", values: { status } });
  expect(waited).toEqual([]);
});

test("no failure shows a key", async () => {
  const errors = [
    await failure((await open(environment({ OVH_APPLICATION_SECRET: "wrong-secret-x" }))).get("/vps")),
    await failure((await open(environment({ OVH_CONSUMER_KEY: "wrong-consumer" }))).get("/vps")),
    await failure((await open(environment({ OVH_ENDPOINT: "http://127.0.0.1:9/1.0" }))).post("/vps")),
  ];
  expect(errors.map(({ code }) => code)).toEqual(["OVH_REFUSED", "OVH_REFUSED", "OVH_UNREACHABLE"]);
  for (const { message } of errors)
    expect(message).not.toMatch(new RegExp(`${applicationSecret}|${consumerKey}|${applicationKey}|wrong-`));
});

test("an answer of another shape is refused by the path of what is wrong", async () => {
  const Shape = z.array(z.int());
  expect((await failure(ovh.get("/domain/zone", { schema: Shape }))).message).toMatch(
    /GET \/domain\/zone .*\[0\]: /,
  );
});

test("two processes share one budget", async () => {
  const env = environment({ GEOCLIC_OVH_BUDGET: "5" });
  const [one, other] = await Promise.all([open(env), open(env)]);
  for (let i = 0; i < 3; i++) {
    await one.get("/domain/zone");
    await other.get("/domain/zone");
  }
  // Five went at once, two for the clock among them; the others were told to wait for the minute to pass.
  expect(waited.filter((pause) => pause > 50_000)).toHaveLength(3);
});

describe("rights", () => {
  test("that are missing are listed, with the address to get them", async () => {
    await emulator.close();
    emulator = await startEmulator({
      credentials: { ...labCredentials, rules: [{ method: "GET", path: "/domain/zone*" }] },
    });
    const limited = await open();
    await limited.checkRights([{ method: "GET", path: "/domain/zone/x/record" }]);
    const error = await failure(limited.checkRights([{ method: "POST", path: "/me/order/*/pay" }]));
    expect(error.message).toMatch(
      /may not do what is needed: POST \/me\/order\/\*\/pay; .*api\.ovh\.com\/createToken/,
    );
  });
});

describe("credentials", () => {
  test("come from files where the environment has none, the later file winning", async () => {
    const [first, second] = [join(state, "one.conf"), join(state, "two.conf")];
    const section = (secret: string) =>
      `[default]\nendpoint=ovh-ca\n\n[ovh-ca]\napplication_key=k\napplication_secret=${secret}\nconsumer_key=c\n`;
    await writeFile(first, section("one"));
    await writeFile(second, section("two"));
    expect(await readCredentials({}, [first, second])).toEqual({
      endpoint: "https://ca.api.ovh.com/1.0",
      keys: { applicationKey: "k", applicationSecret: "two", consumerKey: "c" },
    });
    expect(await readCredentials({ OVH_APPLICATION_SECRET: "env" }, [first])).toMatchObject({
      keys: { applicationSecret: "env" },
    });
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["none", {}, /none were found/],
    ["a part", { OVH_APPLICATION_KEY: "k" }, /belong together/],
    [
      "two kinds",
      { OVH_APPLICATION_KEY: "k", OVH_APPLICATION_SECRET: "s", OVH_CONSUMER_KEY: "c", OVH_ACCESS_TOKEN: "t" },
      /both/,
    ],
    ["an unknown endpoint", { OVH_ENDPOINT: "ovh-moon", OVH_ACCESS_TOKEN: "t" }, /ovh-moon.*expected ovh-eu/],
    [
      "an endpoint with a slash at its end",
      { OVH_ENDPOINT: "http://x/1.0/", OVH_ACCESS_TOKEN: "t" },
      /without a slash/,
    ],
    ["a budget that is none", { OVH_ACCESS_TOKEN: "t", GEOCLIC_OVH_BUDGET: "0" }, /GEOCLIC_OVH_BUDGET/],
  ])("%s: refused", async (_, env, message) => {
    const files = join(state, "none.conf");
    const read = "GEOCLIC_OVH_BUDGET" in env ? openOvh({ env, state }) : readCredentials(env, [files]);
    expect((await failure(read)).message).toMatch(message);
  });
});

describe("a zone", () => {
  const zoneOf = async (name: string) => {
    Object.assign(process.env, environment(), { GEOCLIC_HOME: state });
    return openZone(name);
  };

  test("gives a name's records, removes one, and again when it is gone", async () => {
    const zone = await zoneOf("geoclic.test");
    for (const [subDomain, target] of [
      ["a", "203.0.113.1"],
      ["b", "203.0.113.2"],
    ])
      await ovh.post("/domain/zone/geoclic.test/record", { body: { fieldType: "A", subDomain, target } });
    const [record] = await zone.records("a");
    expect(record).toMatchObject({ fieldType: "A", subDomain: "a", target: "203.0.113.1" });
    await zone.remove(record?.id ?? 0);
    await zone.remove(record?.id ?? 0);
    expect(await zone.records("a")).toEqual([]);
    expect(await zone.records("b")).toHaveLength(1);
  });

  test("is published on request", async () => {
    await (await zoneOf("geoclic.test")).refresh();
    expect(requests("POST", "/domain/zone/geoclic.test/refresh")).toBe(1);
  });

  test("is not opened without the right to publish it", async () => {
    await emulator.close();
    const rules = ["GET", "PUT", "DELETE"].map((method) => ({ method, path: "/*" }));
    emulator = await startEmulator({
      credentials: {
        ...labCredentials,
        rules: [...rules, { method: "POST", path: "/domain/zone/*/record" }],
      },
    });
    expect((await failure(zoneOf("geoclic.test"))).message).toMatch(
      /may not do what is needed: POST \/domain\/zone\/geoclic\.test\/refresh;/,
    );
  });

  test("that the account does not hold is named", async () => {
    expect((await failure((await zoneOf("other.test")).records("a"))).code).toBe("ZONE_UNKNOWN");
  });
});
