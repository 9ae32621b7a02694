/**
 * @module A substitute says what it is, and only a substitute does. Does not prove that a plugin without the file
 * SUBSTITUTE beside it is the official one.
 */
import { local } from "@pulumi/command";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { expect, test } from "vitest";
import { pluginNames } from "../record.ts";
import { Engine, isSubstitute } from "./engine.ts";

function program(): Record<string, unknown> {
  new local.Command("command", { create: "true" });
  new random.RandomBytes("bytes", { length: 1 });
  new tls.PrivateKey("key", { algorithm: "ED25519" });
  return {};
}

async function warned(lab: string): Promise<string[]> {
  const engine = await Engine.start({ GEOCLIC_LAB: lab });
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
