/**
 * @module A substitute says what it is, and only a substitute does; that of plugin ovh refuses OVH itself. Does not prove
 * that a plugin without the file SUBSTITUTE beside it is the official one.
 */
import { ZoneRecord } from "@ovhcloud/pulumi-ovh/domain/zoneRecord.js";
import { local } from "@pulumi/command";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pluginNames } from "../record.ts";
import { Engine, isSubstitute } from "./engine.ts";
import { type OvhApi, startApi } from "./ovh-api.ts";

let api: OvhApi;
beforeAll(async () => {
  api = await startApi({ zones: ["example.net"] });
});
afterAll(async () => {
  await api?.close();
});

function program(): Record<string, unknown> {
  new local.Command("command", { create: "true" });
  new ZoneRecord("record", { zone: "example.net", fieldtype: "A", target: "203.0.113.10" });
  new random.RandomBytes("bytes", { length: 1 });
  new tls.PrivateKey("key", { algorithm: "ED25519" });
  return {};
}

async function warned(lab: string): Promise<string[]> {
  const engine = await Engine.start({ ...api.environment, GEOCLIC_LAB: lab });
  try {
    const { printed } = await engine.up(program);
    return pluginNames.filter((name) => new RegExp(`warning: SUBSTITUTE: plugin ${name} `).test(printed));
  } finally {
    await engine.end();
  }
}

test("outside the lab every substitute warns, an official plugin does not", async () => {
  expect(await warned("")).toEqual(pluginNames.filter(isSubstitute));
});

test("in the lab, which is made for substitutes, none warns", async () => {
  expect(await warned("1")).toEqual([]);
});

// Never with the official plugin, which would ask OVH.
test.runIf(isSubstitute("ovh")).each(["ovh-eu", "https://eu.api.ovh.com/1.0", "http://192.0.2.1/1.0"])(
  "the substitute of plugin ovh does not go to %s",
  async (endpoint) => {
    const engine = await Engine.start({ ...api.environment, OVH_ENDPOINT: endpoint });
    try {
      const text = await engine.failingUp(program);
      expect(text).toContain(
        "a substitute for closed networks and works only with the lab; install the official plugin",
      );
      for (const secret of api.secrets) expect(text).not.toContain(secret);
    } finally {
      await engine.end();
    }
  },
);
