/**
 * @module What the program may rely on for secrets in plugin random: passwords, whose id, unlike that of bytes, tells
 * nothing. Does not prove that they are random.
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

/** Hexadecimal: digits and, as the special characters, a to f. */
const hexadecimal: random.RandomPasswordArgs = {
  length: 64,
  upper: false,
  lower: false,
  overrideSpecial: "abcdef",
};

function password(args: random.RandomPasswordArgs): Program {
  return () => ({ result: new random.RandomPassword("password", args).result });
}

async function result(): Promise<string> {
  return String((await engine.output("result")).value);
}

test("a hexadecimal password is secret everywhere, its id included, and stays", async () => {
  const run = await engine.up(password(hexadecimal));
  const made = await result();
  expect(made).toMatch(/^[0-9a-f]{64}$/);
  expect((await engine.output("result")).secret).toBe(true);
  const { id, outputs } = await engine.resource("password");
  expect(id).toBe("none");
  expect([isSecret(outputs.result), isSecret(outputs.bcryptHash)]).toEqual([true, true]);
  for (const text of [await engine.kept(), run.printed]) expect(text).not.toContain(made);

  expect((await engine.up(password(hexadecimal))).changes).toEqual({ same: 2 });
  expect(await engine.refresh()).toEqual({ same: 2 });
  expect(await result()).toBe(made);
});

test("a default that is spelt out is no change, keepers and length replace", async () => {
  const made = await result();
  const spelt = { ...hexadecimal, numeric: true, special: true, minUpper: 0 };
  await engine.up(password(spelt));
  expect(await result()).toBe(made);
  const kept = { ...spelt, keepers: { since: "1" } };
  expect((await engine.up(password(kept))).changes).toEqual({ same: 1, replace: 1 });
  const other = await result();
  expect(other).not.toBe(made);
  expect((await engine.up(password({ ...kept, length: 20 }))).changes).toEqual({ same: 1, replace: 1 });
  expect(await result()).toMatch(/^[0-9a-f]{20}$/);
});

test("an existing password is imported by itself and not kept as the id", async () => {
  const given = "Correct-Horse-7";
  const imported =
    (id?: string): Program =>
    () => ({
      result: new random.RandomPassword("imported", { length: given.length }, id ? { import: id } : {})
        .result,
    });
  const { changes } = await engine.up(imported(given));
  expect(changes.import).toBe(1);
  expect(await result()).toBe(given);
  expect((await engine.resource("imported")).id).toBe("none");
  expect((await engine.up(imported())).changes).toEqual({ same: 2 });
  expect(await result()).toBe(given);
});
