/**
 * @module What the program relies on in plugin random. Does not prove that the bytes are random, nor anything of the
 * plugin's other resources.
 */
import * as random from "@pulumi/random";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, isSecret, type Program } from "./engine.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => {
  await engine?.end();
});

function bytes(length: number, keepers?: Record<string, string>): Program {
  return () => {
    const made = new random.RandomBytes("bytes", { length, ...(keepers ? { keepers } : {}) });
    return { hex: made.hex, base64: made.base64 };
  };
}

async function value(name: string): Promise<string> {
  return String((await engine.output(name)).value);
}

test("bytes are secret but for the id, agree in both forms, and stay", async () => {
  await engine.up(bytes(24));
  const hex = await value("hex");
  expect(hex).toMatch(/^[0-9a-f]{48}$/);
  expect(Buffer.from(await value("base64"), "base64").toString("hex")).toBe(hex);
  expect((await engine.output("hex")).secret).toBe(true);

  const { id, outputs } = await engine.resource("bytes");
  expect([isSecret(outputs.hex), isSecret(outputs.base64)]).toEqual([true, true]);
  expect(outputs.length).toBe(24);
  const kept = await engine.kept();
  expect(kept).not.toContain(hex);
  // The id is the bytes, in clear: no secret may be a RandomBytes.
  expect(id).toBe(await value("base64"));

  expect((await engine.up(bytes(24))).changes).toEqual({ same: 2 });
  expect(await engine.refresh()).toEqual({ same: 2 });
  expect(await value("hex")).toBe(hex);
});

test("keepers and length replace", async () => {
  const former = await value("hex");
  expect((await engine.up(bytes(24, { since: "1" }))).changes).toEqual({ same: 1, replace: 1 });
  const kept = await value("hex");
  expect(kept).not.toBe(former);
  expect((await engine.up(bytes(16, { since: "1" }))).changes).toEqual({ same: 1, replace: 1 });
  expect(await value("hex")).toMatch(/^[0-9a-f]{32}$/);
});

test("bytes are imported by their base64", async () => {
  const given = Buffer.from(Array.from({ length: 16 }, (_, index) => 255 - index));
  const program =
    (id?: string): Program =>
    () => {
      const made = new random.RandomBytes("imported", { length: 16 }, id ? { import: id } : {});
      return { hex: made.hex };
    };
  const { changes } = await engine.up(program(given.toString("base64")));
  expect(changes).toEqual({ same: 1, import: 1, delete: 1 });
  expect(await engine.output("hex")).toEqual({ value: given.toString("hex"), secret: true });
  expect(await engine.kept()).not.toContain(given.toString("hex"));
  expect((await engine.up(program())).changes).toEqual({ same: 2 });
});
