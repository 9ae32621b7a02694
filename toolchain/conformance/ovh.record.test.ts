/**
 * @module What the program relies on in plugin ovh's DNS records, against the emulator of OVH's API. Does not prove that
 * OVH answers as the emulator does.
 */
import { ZoneRecord, type ZoneRecordArgs } from "@ovhcloud/pulumi-ovh/domain/zoneRecord.js";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Engine, isSubstitute, type Program } from "./engine.ts";
import { type OvhApi, startApi } from "./ovh-api.ts";

const zone = "example.net";
const www = { zone, subdomain: "www", fieldtype: "A", target: "203.0.113.10", ttl: 300 };

let api: OvhApi;
let engine: Engine;
beforeEach(async () => {
  api = await startApi({ zones: [zone] });
  engine = await Engine.start(api.environment);
});
afterEach(async () => {
  await engine?.end();
  await api?.close();
});

/** `published`: the zone as others see it at the moment when the record counts as made. */
function program(args: ZoneRecordArgs = www, opts: CustomResourceOptions = {}): Program {
  return () => {
    const record = new ZoneRecord("www", args, opts);
    return { id: record.id, published: record.id.apply(() => api.published(zone)) };
  };
}

const none: Program = () => ({});

async function id(): Promise<string> {
  return String((await engine.output("id")).value);
}

const told = ({ subdomain, fieldtype, target, ttl }: typeof www) => ({
  subDomain: subdomain,
  fieldType: fieldtype,
  target,
  ttl,
});

describe("making", () => {
  test("a record is made, published and looked at before it counts as made, and then nothing is asked", async () => {
    await engine.preview(program());
    expect(api.asked()).toEqual([]);
    expect((await engine.up(program())).changes).toEqual({ create: 2 });
    const made = `/domain/zone/${zone}/record`;
    expect(api.asked()).toEqual([
      `POST ${made}`,
      `POST /domain/zone/${zone}/refresh`,
      `GET ${made}/${await id()}`,
    ]);
    expect((await engine.output("published")).value).toEqual([expect.objectContaining(told(www))]);
    expect(api.records(zone)).toEqual([{ id: Number(await id()), ...told(www) }]);
    api.forget();
    expect((await engine.up(program())).changes).toEqual({ same: 2 });
    expect(api.asked()).toEqual([]);
  });

  test("a refresh of the zone that fails is no failure of the record", async () => {
    api.fail("POST", `/domain/zone/${zone}/refresh`, { kind: "status", status: 500 });
    await engine.up(program());
    expect(api.records(zone)).toHaveLength(1);
    expect(api.published(zone)).toEqual([]);
  });

  test("a record whose id OVH does not tell is found", async () => {
    api.fail("POST", `/domain/zone/${zone}/record`, { kind: "idZero" });
    await engine.up(program());
    expect(api.records(zone).map((each) => each.id)).toEqual([Number(await id())]);
  });

  test("OVH's refusal is shown with its query's id, is not tried again, and keeps nothing", async () => {
    api.fail("POST", `/domain/zone/${zone}/record`, { kind: "status", status: 429 });
    const text = await engine.failingUp(program());
    expect(text).toMatch(/status code 429.*X-OVH-Query-Id: EU\.ext-/s);
    expect(api.asked()).toEqual([`POST /domain/zone/${zone}/record`]);
    await expect(engine.resource("www")).rejects.toThrow("no resource www");
  });

  test("an answer that is lost on its way is not asked for again", async () => {
    api.fail("POST", `/domain/zone/${zone}/record`, { kind: "dropAfterEffect" });
    await engine.failingUp(program());
    expect(api.asked()).toEqual([`POST /domain/zone/${zone}/record`]);
    expect(api.records(zone)).toHaveLength(1);
    await expect(engine.resource("www")).rejects.toThrow("no resource www");
  });

  test.runIf(isSubstitute("ovh"))("a failure after the record was made does not lose it", async () => {
    api.fail("GET", `/domain/zone/${zone}/record/*`, { kind: "status", status: 429 });
    expect(await engine.failingUp(program())).toContain("status code 429");
    const [made] = api.records(zone);
    expect((await engine.resource("www")).id).toBe(String(made?.id));
    api.heal();
    await engine.up(program());
    expect(api.records(zone)).toEqual([made]);
  });

  test("a time to live that OVH would raise is refused before anything is asked", async () => {
    expect(await engine.failingUp(program({ ...www, ttl: 59 }))).toMatch(/greater than or equal to 60/);
    expect(api.asked()).toEqual([]);
  });

  test("two runs at once make two records, and each removes its own", async () => {
    const other = await Engine.start(api.environment);
    try {
      await Promise.all([engine.up(program()), other.up(program())]);
      const otherId = Number((await other.output("id")).value);
      expect(api.records(zone)).toHaveLength(2);
      expect(otherId).not.toBe(Number(await id()));
      await engine.destroy();
      expect(api.records(zone).map((each) => each.id)).toEqual([otherId]);
    } finally {
      await other.end();
    }
  });
});

describe("changing", () => {
  test("target and time to live change in place", async () => {
    await engine.up(program());
    const former = await id();
    api.forget();
    const changed = { ...www, target: "203.0.113.20", ttl: 600 };
    expect((await engine.up(program(changed))).changes).toEqual({ same: 1, update: 1 });
    expect(await id()).toBe(former);
    const record = `/domain/zone/${zone}/record/${former}`;
    expect(api.asked()).toEqual([`PUT ${record}`, `POST /domain/zone/${zone}/refresh`, `GET ${record}`]);
    expect(api.published(zone)).toEqual([{ id: Number(former), ...told(changed) }]);
  });

  test("another type needs another record", async () => {
    await engine.up(program());
    const former = await id();
    const changed = { ...www, fieldtype: "AAAA", target: "2001:db8::1" };
    expect((await engine.up(program(changed))).changes).toMatchObject({ same: 1, replace: 1 });
    expect(await id()).not.toBe(former);
    expect(api.published(zone)).toEqual([{ id: Number(await id()), ...told(changed) }]);
  });

  test("quotes that OVH puts around a text are no change", async () => {
    const text = { ...www, fieldtype: "TXT", target: "v=spf1 -all" };
    await engine.up(program(text));
    expect(api.records(zone)[0]?.target).toBe('"v=spf1 -all"');
    expect((await engine.up(program(text))).changes).toEqual({ same: 2 });
    await engine.refresh();
    expect((await engine.up(program(text))).changes).toEqual({ same: 2 });
  });
});

describe("removing", () => {
  test("a record is deleted and the zone published", async () => {
    await engine.up(program());
    const record = `/domain/zone/${zone}/record/${await id()}`;
    api.forget();
    expect((await engine.up(none)).changes).toEqual({ same: 1, delete: 1 });
    expect(api.asked()).toEqual([`DELETE ${record}`, `POST /domain/zone/${zone}/refresh`]);
    expect(api.published(zone)).toEqual([]);
  });

  test("a record that is gone already counts as deleted", async () => {
    await engine.up(program());
    api.remove(zone, Number(await id()));
    expect((await engine.up(none)).changes).toEqual({ same: 1, delete: 1 });
  });
});

describe("looking", () => {
  test("a record that somebody deleted leaves the state and is made again", async () => {
    await engine.up(program());
    const former = Number(await id());
    api.remove(zone, former);
    expect(await engine.refresh()).toMatchObject({ delete: 1 });
    expect((await engine.up(program())).changes).toEqual({ same: 1, create: 1 });
    expect(Number(await id())).not.toBe(former);
  });

  test("a record that somebody changed is seen and put right", async () => {
    await engine.up(program());
    expect(await engine.refresh()).toEqual({ same: 2 });
    api.change(zone, Number(await id()), { target: "203.0.113.99" });
    expect(await engine.refresh()).toMatchObject({ update: 1 });
    expect((await engine.resource("www")).outputs.target).toBe("203.0.113.99");
    expect((await engine.up(program())).changes).toEqual({ same: 1, update: 1 });
    expect(api.published(zone)).toEqual([expect.objectContaining(told(www))]);
  });

  test("an answer that is no 404 does not lose a record", async () => {
    await engine.up(program());
    api.fail("GET", `/domain/zone/${zone}/record/*`, { kind: "status", status: 500 });
    expect(await engine.failingRefresh()).toMatch(/status code 500.*X-OVH-Query-Id: EU\.ext-/s);
    expect((await engine.resource("www")).id).toBe(await id());
  });

  test("a record is imported by its id and its zone", async () => {
    api.add(zone, { id: 4711, ...told(www) });
    const imported = program(www, { import: `4711.${zone}` });
    expect((await engine.up(imported)).changes).toMatchObject({ import: 1 });
    expect((await engine.resource("www")).id).toBe("4711");
    expect((await engine.up(program())).changes).toEqual({ same: 2 });
    expect(api.records(zone)).toHaveLength(1);
  });
});
