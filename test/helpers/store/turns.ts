/** @module What turns promise, on any store. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { silenceMilliseconds } from "../../../core/store/holder.ts";
import type { InLine, TurnOptions } from "../../../core/store/turns.ts";
import type { OpenStore } from "../../../outside/store/store.ts";
import { processes } from "./processes.ts";
import { elsewhere, type NewGround, storesOf } from "./stores.ts";

const key = "stack prod";

function enter(store: OpenStore, what: string, more: Partial<TurnOptions> = {}) {
  const waited: [string, number][] = [];
  const dead: string[] = [];
  const turn = store.turns.enter(key, {
    what,
    actor: "me",
    onWait: (first: InLine, place: number) => waited.push([first.what, place]),
    onDead: (each: InLine) => dead.push(each.what),
    ...more,
  });
  // Some tests only look at what it tells.
  turn.catch(() => {});
  return { turn, waited, dead };
}

export function turnsConform(newGround: NewGround): void {
  const stores = storesOf(newGround);
  const { hold, run } = processes();
  const names = async (store: OpenStore) => (await store.turns.line(key)).map(({ what }) => what);

  describe("turns", () => {
    test("one at a time, in the order of their arrival, and each hears its place", async () => {
      const store = await stores().open();
      const order: string[] = [];
      const first = await enter(store, "first").turn;
      const waiting: { waited: [string, number][]; done: Promise<void> }[] = [];
      for (const name of ["second", "third", "fourth"]) {
        const entered = enter(store, name);
        const done = entered.turn.then(async (turn) => {
          order.push(name);
          await turn.release();
        });
        waiting.push({ waited: entered.waited, done });
        await expect.poll(() => names(store)).toContain(name);
      }
      expect(order).toEqual([]);
      await expect.poll(() => waiting[2]?.waited).toEqual([["first", 3]]);
      await first.release();
      await Promise.all(waiting.map(({ done }) => done));
      expect(order).toEqual(["second", "third", "fourth"]);
      expect(await names(store)).toEqual([]);
    });

    test("another key is another line", async () => {
      const store = await stores().open();
      await enter(store, "first").turn;
      const other = await store.turns.enter("stack test", { what: "other", actor: "me", wait: false });
      await other.held();
    });

    test("who must not wait is refused, told by whom, and leaves no ticket", async () => {
      const { open, place } = stores();
      const store = await open();
      const child = await hold(place, { kind: "hold", key });
      await expect(enter(store, "mine", { wait: false }).turn).rejects.toMatchObject({
        code: "TURN_TAKEN",
        values: { key, what: "update other", actor: "you", pid: child.pid },
      });
      expect(await names(store)).toEqual(["update other"]);
    });

    test("a holder that is killed is seen at once", async () => {
      const { open, place } = stores();
      const store = await open();
      const child = await hold(place, { kind: "hold", key });
      const { turn, waited, dead } = enter(store, "mine");
      await expect.poll(() => waited).toEqual([["update other", 1]]);
      const killed = performance.now();
      child.kill("SIGKILL");
      await (await turn).release();
      expect(performance.now() - killed).toBeLessThan(3_000);
      expect(dead).toEqual(["update other"]);
    });

    test("who waits leaves by its signal, or is withdrawn by another process; who holds is not", async () => {
      const { open } = stores();
      const [store, other] = [await open(), await open()];
      const first = await enter(store, "first").turn;
      const controller = new AbortController();
      const second = enter(store, "second", { signal: controller.signal });
      await expect.poll(() => names(store)).toContain("second");
      const third = enter(store, "third");
      await expect.poll(() => names(store)).toContain("third");
      controller.abort();
      await expect(second.turn).rejects.toThrow("CANCELLED");
      const [held, waiting] = await other.turns.line(key);
      expect(await other.turns.withdraw(key, held?.ticket ?? 0)).toBe(false);
      expect(await other.turns.withdraw(key, waiting?.ticket ?? 0)).toBe(true);
      await expect(third.turn).rejects.toThrow("CANCELLED");
      expect(await names(store)).toEqual(["first"]);
      await first.held();
    });

    test("two processes that take turns: none lost, none double, and each in the order of its ticket", async () => {
      const { place } = stores();
      const log = join(place.state, "log");
      const times = 60;
      await Promise.all([1, 2].map(() => run(place, { kind: "turns", key, times, log })));
      const lines = (await readFile(log, "utf8")).trim().split("\n");
      expect(lines).toHaveLength(4 * times);
      const owners = lines.flatMap((line, at) => (at % 2 ? [] : [line.replace("in ", "")]));
      for (const [at, owner] of owners.entries())
        expect(lines.slice(2 * at, 2 * at + 2)).toEqual([`in ${owner}`, `out ${owner}`]);
      const numbers = owners.map((owner) => owner.split(" ").map(Number));
      const counts = Map.groupBy(numbers, ([pid]) => pid);
      expect([...counts.values()].map(({ length }) => length)).toEqual([times, times]);
      const tickets = numbers.map(([, ticket]) => ticket ?? 0);
      expect(tickets).toEqual(tickets.toSorted((a, b) => a - b));
    });
  });

  describe("a holder on another machine", () => {
    test("is dead when it has told nothing for long by the clock of who waits, whatever clocks say", async () => {
      const { open } = stores();
      let now = 0;
      const far = await open({ identity: elsewhere() });
      const near = await open({ monotonic: () => now });
      const held = await enter(far, "far").turn;
      const { turn, dead } = enter(near, "near");
      await expect.poll(() => names(near)).toEqual(["far", "near"]);
      // As if the store's clock had jumped by a day, and the process had told that it lives meanwhile.
      for (let beat = 1; beat < 4; beat += 1) {
        await far.database.run((db) =>
          db
            .updateTable("holder")
            .set({ beaten: 1, beat })
            .where("id", "in", (eb) => eb.selectFrom("turn").select("holder").where("what", "=", "far"))
            .execute(),
        );
        await new Promise((done) => setTimeout(done, 600));
        now += silenceMilliseconds - 1;
        expect(await names(near)).toEqual(["far", "near"]);
      }
      await new Promise((done) => setTimeout(done, 600));
      now += silenceMilliseconds;
      const taken = await turn;
      expect(dead).toEqual(["far"]);
      await taken.held();
      // It stood still, and finds out before it goes on.
      await expect(held.held()).rejects.toMatchObject({ code: "TURN_LOST", values: { what: "far" } });
    });

    test("is not watched in vain: who must not wait is refused at once while it lives", async () => {
      const { open } = stores();
      const far = await open({ identity: elsewhere() });
      await enter(far, "far").turn;
      await expect(enter(await open(), "near", { wait: false }).turn).rejects.toThrow("TURN_TAKEN");
    });
  });

  test("a former boot of this machine holds nothing, where no copy of the machine can be meant", async () => {
    const { open, place } = stores();
    const mine = elsewhere();
    const former = await open({ identity: { ...mine, boot: "former" } });
    await enter(former, "former").turn;
    const { turn, dead } = enter(await open({ identity: mine }), "now", { wait: false });
    if (place.url !== undefined) return expect(turn).rejects.toThrow("TURN_TAKEN");
    await turn;
    expect(dead).toEqual(["former"]);
  });
}
