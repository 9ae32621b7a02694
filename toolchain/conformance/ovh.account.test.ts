/**
 * @module How plugin ovh reaches OVH's API, what it knows of a VPS, and that it tells no secret; against the emulator of
 * the API. Does not prove that OVH answers as the emulator does.
 */
import { ZoneRecord } from "@ovhcloud/pulumi-ovh/domain/zoneRecord.js";
import { Provider } from "@ovhcloud/pulumi-ovh/provider.js";
import { getVpsOutput } from "@ovhcloud/pulumi-ovh/vps/getVps.js";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Engine, type Program } from "./engine.ts";
import { type OvhApi, startApi } from "./ovh-api.ts";

const zone = "example.net";
const serviceName = "vps-0a1b2c3d.vps.ovh.net";
const record = { zone, subdomain: "www", fieldtype: "A", target: "203.0.113.10" };

let api: OvhApi;
let engine: Engine;
beforeAll(async () => {
  api = await startApi({ zones: [zone], vps: [serviceName] });
});
afterEach(async () => {
  api.heal();
  await engine?.end();
});
afterAll(async () => {
  await api?.close();
});

const make: Program = () => ({ id: new ZoneRecord("www", record).id });

test("what OVH knows of a VPS", async () => {
  engine = await Engine.start(api.environment);
  api.forget();
  await engine.up(() => ({ vps: getVpsOutput({ serviceName }) }));
  const vps = (await engine.output("vps")).value as Record<string, unknown>;
  expect(vps).toMatchObject({
    ...{ id: serviceName, name: serviceName, serviceName, state: "running", netbootmode: "local" },
    ips: expect.arrayContaining([expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/)]),
    datacenter: { name: expect.any(String), longname: expect.any(String) },
    model: { name: expect.any(String), offer: expect.any(String), version: expect.any(String) },
    ...{ memory: expect.any(Number), vcore: expect.any(Number), slamonitoring: expect.any(Boolean) },
    ...{ displayname: expect.any(String), offertype: expect.any(String), zone: expect.any(String) },
    VpsURN: expect.stringContaining(serviceName),
    type: expect.stringMatching(/^vps_/),
  });
  expect(api.asked().sort()).toEqual(
    ["", "/datacenter", "/ips"].map((path) => `GET /vps/${serviceName}${path}`),
  );
});

test("a VPS of which OVH tells nothing has no address, and that is all that a program learns", async () => {
  engine = await Engine.start(api.environment);
  await engine.up(() => ({
    ips: getVpsOutput({ serviceName: "vps-none.vps.ovh.net" }).apply((vps) => vps.ips ?? []),
  }));
  expect((await engine.output("ips")).value).toEqual([]);
});

test("credentials that OVH refuses are told, before anything is done", async () => {
  engine = await Engine.start({ ...api.environment, OVH_CONSUMER_KEY: "unknown-consumer-key" });
  const text = await engine.failingUp(make);
  expect(text).toContain("OVH client seems to be misconfigured");
  expect(text).toMatch(/status code 403/);
  expect(text).not.toContain("unknown-consumer-key");
  expect(api.records(zone)).toEqual([]);
});

test("without credentials nothing begins", async () => {
  engine = await Engine.start({ OVH_ENDPOINT: api.environment.OVH_ENDPOINT ?? "" });
  expect(await engine.failingUp(make)).toContain("missing authentication information");
});

test("credentials of the environment appear nowhere", async () => {
  engine = await Engine.start(api.environment);
  const { printed } = await engine.up(make);
  api.fail("DELETE", `/domain/zone/${zone}/record/*`, { kind: "status", status: 429 });
  const failed = await engine.failingUp(() => ({}));
  for (const text of [printed, failed, await engine.kept()])
    for (const secret of api.secrets) expect(text).not.toContain(secret);
  api.heal();
  await engine.destroy();
});

test("credentials of an explicit provider are kept as ciphertext only, its limit is a number as text", async () => {
  const given = (name: string): string => api.environment[`OVH_${name}`] ?? "";
  engine = await Engine.start();
  const explicit: Program = () => {
    const provider = new Provider("ovh", {
      endpoint: given("ENDPOINT"),
      applicationKey: given("APPLICATION_KEY"),
      applicationSecret: pulumi.secret(given("APPLICATION_SECRET")),
      consumerKey: pulumi.secret(given("CONSUMER_KEY")),
      apiRateLimit: 20,
      ignoreInitError: true,
      userAgentExtra: "conformance",
    });
    return { id: new ZoneRecord("www", record, { provider }).id };
  };
  const { printed, changes } = await engine.up(explicit);
  expect(changes).toEqual({ create: 3 });
  for (const text of [printed, await engine.kept()])
    for (const secret of api.secrets) expect(text).not.toContain(secret);
  expect((await engine.up(explicit)).changes).toEqual({ same: 3 });
  await engine.destroy();
  expect(api.records(zone)).toEqual([]);
});
