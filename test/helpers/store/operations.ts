/** @module What operations and their events promise, on any store. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mayBecome, operationStates, type StoredState } from "../../../core/store/operations.ts";
import type { OpenStore } from "../../../outside/store/store.ts";
import { processes } from "./processes.ts";
import { elsewhere, type NewGround, storesOf } from "./stores.ts";

const id = (number: number) => `20261123T10${String(number).padStart(4, "0")}-00aa`;
const asked = (number: number, more: { stack?: string; notBefore?: number } = {}) => ({
  id: id(number),
  verb: "update",
  stack: "prod",
  actor: "Jeanne",
  request: { all: true, names: ["Côté"] },
  ...more,
});

/** The shortest way to a state. */
const ways: Readonly<Record<Exclude<StoredState, "queued">, readonly StoredState[]>> = {
  waiting: ["waiting"],
  running: ["running"],
  cancelling: ["running", "cancelling"],
  cancelled: ["cancelled"],
  failed: ["running", "failed"],
  succeeded: ["running", "succeeded"],
  interrupted: ["running", "interrupted"],
  abandoned: ["running", "failed", "abandoned"],
};

export function operationsConform(newGround: NewGround): void {
  const stores = storesOf(newGround);
  const { hold, run } = processes();
  const stateOf = async (store: OpenStore, number = 1) => (await store.operations.find(id(number)))?.state;

  describe("an operation", () => {
    test("is found as it was asked for, by another process too, and told to its end", async () => {
      const { open } = stores();
      const [store, other] = [await open(), await open()];
      await store.operations.submit({ ...asked(1), planHash: "abc", notBefore: 5, resumes: id(0) });
      expect(await other.operations.find(id(1))).toMatchObject({
        ...asked(1),
        planHash: "abc",
        notBefore: 5,
        resumes: id(0),
        state: "queued",
        lastSeq: 0,
      });
      await store.operations.begin(asked(1));
      const cause = { code: "SSH_TIMEOUT", values: { host: "h", seconds: 3 }, place: { client: "a" } };
      await store.operations.become(id(1), "failed", { exit: 3, cause });
      const ended = await other.operations.find(id(1));
      expect(ended).toMatchObject({ state: "failed", exit: 3, cause, holder: { pid: process.pid } });
      expect(Math.abs((ended?.ended ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await other.operations.find("nobody")).toBeUndefined();
    });

    test("goes from one state to those that follow it, and is refused every other", async () => {
      const { operations } = await stores().open();
      const steps = operationStates.flatMap((from) => operationStates.map((to) => [from, to] as const));
      for (const [number, [from, to]] of steps.entries()) {
        await operations.submit(asked(number));
        for (const state of from === "queued" ? [] : ways[from]) await operations.become(id(number), state);
        const change = operations.become(id(number), to);
        const refusal = { code: "OPERATION_STATE", values: { state: from, wanted: to } };
        if (mayBecome(from, to)) await change;
        else await expect(change, `${from} to ${to}`).rejects.toMatchObject(refusal);
        const { state } = (await operations.find(id(number))) ?? {};
        expect(state, `${from} to ${to}`).toBe(mayBecome(from, to) ? to : from);
      }
    });

    test("is begun once", async () => {
      const { open } = stores();
      const [store, other] = [await open(), await open()];
      const begun = await Promise.allSettled([
        store.operations.begin(asked(1)),
        other.operations.begin(asked(1)),
      ]);
      expect(begun.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    });

    test("is cancelled: queued at once, running by and by, ended never; who did it and when is told", async () => {
      const { operations } = await stores().open();
      await operations.submit(asked(1));
      expect(await operations.cancel(id(1), "Paul")).toBe("cancelled");
      await operations.begin(asked(2));
      expect(await operations.cancel(id(2), "Paul", ["ville: activation"])).toBe("cancelling");
      expect(await operations.cancel(id(2), "Anne")).toBe("cancelling");
      expect(await operations.find(id(2))).toMatchObject({
        cancel: { actor: "Paul", letsEnd: ["ville: activation"] },
      });
      await operations.become(id(2), "cancelled");
      await expect(operations.cancel(id(2), "Paul")).rejects.toThrow("OPERATION_ENDED");
      await expect(operations.cancel(id(3), "Paul")).rejects.toThrow("OPERATION_UNKNOWN");
    });

    test("whose process is killed is interrupted at once, is written so, and is no longer cancelled", async () => {
      const { open, place } = stores();
      const store = await open();
      const child = await hold(place, { kind: "operation", id: id(1) });
      expect(await stateOf(store)).toBe("running");
      child.kill("SIGKILL");
      await expect.poll(() => stateOf(store), { timeout: 3_000 }).toBe("interrupted");
      await expect(store.operations.cancel(id(1), "Paul")).rejects.toThrow("OPERATION_ENDED");
      expect(await store.operations.page({ states: ["interrupted"] })).toHaveLength(1);
      expect(await store.operations.sweep()).toMatchObject([{ id: id(1), state: "interrupted" }]);
      expect(await store.operations.sweep()).toEqual([]);
      await store.operations.become(id(1), "abandoned");
    });

    test("of another machine is interrupted when that has told nothing for long", async () => {
      const { open } = stores();
      let now = 0;
      const far = await open({ identity: elsewhere() });
      const near = await open({ monotonic: () => now });
      await far.operations.begin(asked(1));
      expect(await stateOf(near)).toBe("running");
      expect(await near.operations.sweep()).toEqual([]);
      now += 25_000;
      expect(await near.operations.sweep()).toMatchObject([{ id: id(1), state: "interrupted" }]);
    });
  });

  describe("claims", () => {
    test("the oldest whose time has come, one of a stack at a time", async () => {
      const { operations } = await stores().open();
      await operations.submit(asked(1, { notBefore: Date.now() + 3_600_000 }));
      await operations.submit(asked(2));
      await operations.submit(asked(3));
      await operations.submit(asked(4, { stack: "test", notBefore: Date.now() - 1 }));
      expect(await operations.claim(["nothing"])).toBeUndefined();
      expect((await operations.claim())?.id).toBe(id(2));
      expect((await operations.claim())?.id).toBe(id(4));
      expect(await operations.claim()).toBeUndefined();
      await operations.become(id(2), "succeeded");
      expect(await operations.claim(["prod"])).toMatchObject({ id: id(3), state: "running" });
    });

    test("by several processes: each once", async () => {
      const { open, place } = stores();
      const { operations } = await open();
      const ids = Array.from({ length: 24 }, (_, index) => id(index));
      for (const [index] of ids.entries()) await operations.submit(asked(index, { stack: `s${index % 3}` }));
      const log = join(place.state, "log");
      await Promise.all([1, 2].map(() => run(place, { kind: "claims", log })));
      // Who finds every stack under way goes home.
      while (
        await operations
          .claim()
          .then((left) => left && operations.become(left.id, "succeeded").then(() => true))
      );
      const told = (await readFile(log, "utf8")).trim().split("\n");
      expect(new Set(told).size).toBe(told.length);
      expect(await operations.page({ states: ["succeeded"] })).toHaveLength(ids.length);
    });
  });

  describe("events", () => {
    test("are numbered without a gap, whoever adds them, and read on after a number", async () => {
      const { open } = stores();
      const [store, other] = [await open(), await open()];
      await store.operations.begin(asked(1));
      const add = async (from: OpenStore, name: string) => {
        for (let each = 0; each < 10; each += 1)
          await from.operations.append(
            id(1),
            [1, 2, 3].map((part) => ({ kind: "line", body: { name, each, part } })),
          );
      };
      await Promise.all([add(store, "a"), add(other, "b")]);
      const events = await store.operations.events(id(1));
      expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
      const ofA = events.filter(({ body }) => body.name === "a").map(({ body }) => [body.each, body.part]);
      expect(ofA).toEqual(Array.from({ length: 30 }, (_, index) => [Math.floor(index / 3), (index % 3) + 1]));
      expect((await store.operations.events(id(1), 58, 1)).map(({ seq }) => seq)).toEqual([59]);
      expect((await store.operations.find(id(1)))?.lastSeq).toBe(60);
    });

    test("of nobody's operation are refused, all or none", async () => {
      const { operations } = await stores().open();
      await expect(operations.append(id(1), [{ kind: "line", body: {} }])).rejects.toThrow(
        "OPERATION_UNKNOWN",
      );
      expect(await operations.events(id(1))).toEqual([]);
    });

    test("tell what became of each client, in lists too", async () => {
      const { operations } = await stores().open();
      await operations.begin(asked(1));
      await operations.append(id(1), [
        { kind: "plan", body: { waves: [["a"], ["b", "c"]], targets: {} } },
        { kind: "step", client: "a", body: { step: "delivery" }, time: 1000 },
        { kind: "step", client: "a", body: { step: "activation" }, time: 2000 },
      ]);
      await operations.append(id(1), [
        { kind: "client", client: "a", body: { outcome: "done", release: "r" }, time: 3000 },
        { kind: "client", client: "b", body: { outcome: "offline" }, time: 3000 },
      ]);
      expect((await operations.clients([id(1), id(2)])).get(id(1))).toEqual([
        { client: "a", began: 1000, ended: 3000, outcome: "done", release: "r" },
        { client: "b", ended: 3000, outcome: "offline" },
        { client: "c" },
      ]);
    });
  });

  describe("lists", () => {
    test("are pages, newest first, of a stack or of all", async () => {
      const { operations } = await stores().open();
      for (let number = 1; number <= 5; number += 1)
        await operations.begin(asked(number, { stack: number === 3 ? "test" : "prod" }));
      const ids = async (question: Parameters<typeof operations.page>[0]) =>
        (await operations.page(question)).map((operation) => operation.id);
      expect(await ids({})).toEqual([5, 4, 3, 2, 1].map(id));
      expect(await ids({ stack: "prod", limit: 2 })).toEqual([5, 4].map(id));
      expect(await ids({ stack: "prod", before: id(4) })).toEqual([2, 1].map(id));
      await operations.become(id(2), "succeeded");
      expect(await ids({ states: ["succeeded"] })).toEqual([id(2)]);
    });

    test.each([
      ["number", { count: 2 }, [1, 2]],
      ["age", { days: -1 }, [1, 2, 3, 4]],
      ["size", { bytes: 700 }, [1, 2]],
    ])("are kept within limits of %s, the oldest go first; what runs and other stacks stay", async (_, limit, gone) => {
      const { operations } = await stores().open();
      for (let number = 0; number <= 5; number += 1) {
        await operations.begin(asked(number, { stack: number === 5 ? "test" : "prod" }));
        await operations.append(id(number), [{ kind: "line", body: { text: "x".repeat(300) } }]);
        if (number > 0) await operations.become(id(number), "succeeded");
      }
      const removed = await operations.prune("prod", { days: 400, count: 2000, bytes: 2 ** 28, ...limit });
      expect(removed.toSorted()).toEqual(gone.map(id));
      expect(await operations.events(id(1))).toEqual([]);
      expect(await operations.find(id(0))).toMatchObject({ state: "running" });
      expect(await operations.find(id(5))).toBeDefined();
    });
  });
}
