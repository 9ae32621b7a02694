/** @module What operations' journals, their line, budgets and clients' journals promise, in files and in any store. */
import { hostname } from "node:os";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OperationEvent, Told } from "../../../core/operation/journal.ts";
import type {
  Holder,
  OperationJournals,
  OperationQueue,
  OperationWriter,
} from "../../../core/operation/port.ts";
import type { OrderJournal } from "../../../core/ovh/order-ports.ts";
import type { AcmeLedger } from "../../../core/ports.ts";
import type { RetirementJournal } from "../../../core/registry/port.ts";
import type { Retention } from "../../../core/store/operations.ts";

export interface Fulfilled {
  journals(stack: string, retention?: Partial<Retention>): OperationJournals;
  queue(stack: string): OperationQueue;
  readonly ledger: AcmeLedger;
  orders(client: string): OrderJournal;
  orderedClients(): Promise<string[]>;
  retirements(client: string): RetirementJournal;
  refreshZone(zone: string, since: number, refresh: () => Promise<void>): Promise<boolean>;
  end(): Promise<void>;
}

const id = (number: number) => `20261123T1000${String(number).padStart(2, "0")}-00aa`;
const begin = (name: string): Told => ({
  kind: "begin",
  id: name,
  verb: "update",
  stack: "prod",
  actor: "Jeanne",
  request: { all: true },
  pid: process.pid,
  host: hostname(),
});

/** What is told to a store is there a moment later. */
async function settled(writer: OperationWriter): Promise<void> {
  if ("settled" in writer) await (writer.settled as () => Promise<void>)();
}

export function portsConform(make: () => Promise<Fulfilled>): void {
  let ports: Fulfilled;
  beforeEach(async () => {
    ports = await make();
  });
  afterEach(() => ports.end());

  describe("journals of operations", () => {
    test("what is told is read back while it runs, and after", async () => {
      const writer = ports.journals("organization/geoclic-fleet/prod").create(id(1));
      for (const told of [
        begin(id(1)),
        { kind: "plan", waves: [["a"], ["b"]], targets: { a: "r", b: "r" } },
        { kind: "wave", number: 1, clients: ["a"] },
        { kind: "step", client: "a", step: "delivery" },
        { kind: "step-end", client: "a", step: "delivery", ok: true },
        { kind: "client", client: "a", outcome: "done", release: "r" },
      ] satisfies Told[])
        writer.tell(told);
      await settled(writer);
      const journals = ports.journals("prod");
      const running = {
        state: "running",
        wave: 1,
        targets: { a: "r", b: "r" },
        clients: [
          { client: "a", outcome: "done", release: "r" },
          { client: "b", steps: [] },
        ],
      };
      expect(await journals.find(id(1))).toMatchObject(running);
      expect(await journals.list()).toMatchObject([running]);
      expect((await journals.find(id(1)))?.clients[0]?.steps).toMatchObject([{ step: "delivery", ok: true }]);
      writer.tell({ kind: "client", client: "b", outcome: "failed", cause: "why" });
      writer.tell({ kind: "end", outcome: "failed", cause: "b" });
      await settled(writer);
      expect(await journals.list()).toMatchObject([
        { id: id(1), state: "failed", cause: "b", actor: "Jeanne" },
      ]);
      const [told] = await journals.list();
      expect(told?.clients[0]?.began).toBeGreaterThan(0);
      expect((await journals.find(id(1)))?.clients[1]?.cause).toBe("why");
      expect((await journals.events(id(1))).map(({ kind }) => kind)).toEqual([
        ...["begin", "plan", "wave", "step", "step-end", "client", "client", "end"],
      ]);
    });

    test("newest first; those of another stack are not among them", async () => {
      for (const number of [2, 1, 3]) {
        const writer = ports.journals(number === 3 ? "test" : "prod").create(id(number));
        writer.tell(begin(id(number)));
        await settled(writer);
      }
      expect((await ports.journals("prod").list()).map((view) => view.id)).toEqual([id(2), id(1)]);
      expect(await ports.journals("prod").find(id(3))).toBeUndefined();
      await expect(ports.journals("prod").events(id(3))).rejects.toThrow("OPERATION_UNKNOWN");
    });

    test("is followed from its beginning to its end by somebody else", async () => {
      const writer = ports.journals("prod").create(id(1));
      writer.tell(begin(id(1)));
      await settled(writer);
      const seen: OperationEvent["kind"][] = [];
      const following = (async () => {
        for await (const { kind } of ports.journals("prod").follow(id(1))) seen.push(kind);
      })();
      await expect.poll(() => seen, { timeout: 5_000 }).toEqual(["begin"]);
      writer.tell({ kind: "line", text: "one" });
      await expect.poll(() => seen, { timeout: 5_000 }).toEqual(["begin", "line"]);
      writer.tell({ kind: "end", outcome: "succeeded" });
      await following;
      expect(seen).toEqual(["begin", "line", "end"]);
    });

    test("is cancelled by a file; one that has ended is not", async () => {
      const { existsSync } = await import("node:fs");
      const journals = ports.journals("prod");
      const writer = journals.create(id(1));
      writer.tell(begin(id(1)));
      await settled(writer);
      expect(existsSync(writer.cancelFile)).toBe(false);
      await journals.cancel(id(1));
      expect(existsSync(writer.cancelFile)).toBe(true);
      expect((await journals.find(id(1)))?.state).toBe("running");
      writer.tell({ kind: "end", outcome: "cancelled" });
      await settled(writer);
      expect((await journals.find(id(1)))?.state).toBe("cancelled");
      await expect(journals.cancel(id(1))).rejects.toThrow("OPERATION_ENDED");
      await expect(journals.cancel(id(2))).rejects.toThrow("OPERATION_UNKNOWN");
    });

    test("are kept within limits, the oldest go first", async () => {
      for (const number of [1, 2, 3, 4]) {
        const writer = ports.journals("prod", { count: number === 4 ? 2 : 100 }).create(id(number));
        writer.tell(begin(id(number)));
        writer.tell({ kind: "end", outcome: "succeeded" });
        await settled(writer);
      }
      const left = async () => (await ports.journals("prod").list()).map((view) => view.id);
      await expect.poll(left).toEqual([id(4), id(3)]);
    });

    test.each([
      "",
      "x",
      "../x",
      id(1).replace("T", "/"),
      `${id(1)}\n`,
      "a".repeat(10_000),
      "-h",
    ])("nothing is looked for under the id %j", async (name) => {
      await expect(ports.journals("prod").find(name)).rejects.toThrow("OPERATION_UNKNOWN");
    });

    test("output beyond its limit is left out, what was done is told", async () => {
      const writer = ports.journals("prod").create(id(1));
      writer.tell(begin(id(1)));
      for (let part = 0; part < 17; part += 1) writer.tell({ kind: "line", text: "y".repeat(2 ** 20) });
      writer.tell({ kind: "line", text: "too much" });
      writer.tell({ kind: "client", client: "a", outcome: "done" });
      await settled(writer);
      const events = await ports.journals("prod").events(id(1));
      expect(events.length).toBeGreaterThan(15);
      expect(events.some((event) => event.kind === "line" && event.text === "too much")).toBe(false);
      expect(events.at(-1)).toMatchObject({ kind: "client", outcome: "done" });
    });
  });

  describe("the line of operations", () => {
    const enter = (what: string, wait = true, signal = new AbortController().signal) => {
      const waited: Holder[] = [];
      const options = { wait, signal, onWait: (holder: Holder) => waited.push(holder), onDead: () => {} };
      return { waited, turn: ports.queue("prod").enter(what, "me", options) };
    };

    test("one at a time, in the order of arrival; who waits sees the holder", async () => {
      const first = await enter("first").turn;
      const second = enter("second");
      await expect
        .poll(() => second.waited)
        .toMatchObject([{ what: "first", actor: "me", pid: process.pid }]);
      await first.release();
      await (await second.turn).release();
    });

    test("who must not wait is refused and leaves no ticket; waiting can be cancelled", async () => {
      const first = await enter("first").turn;
      await expect(enter("mine", false).turn).rejects.toMatchObject({
        code: "OPERATION_LOCKED",
        values: { stack: "prod", what: "first", actor: "me", pid: process.pid },
      });
      const controller = new AbortController();
      const { turn } = enter("second", true, controller.signal);
      controller.abort();
      await expect(turn).rejects.toThrow("CANCELLED");
      await first.release();
      await (await enter("third", false).turn).release();
    });
  });

  test("a certificate that is asked for counts until it is told to have failed", async () => {
    const request = (time: number) => ({ domain: "a.fr", server: "s", time });
    for (let time = 1; time <= 4; time += 1) expect((await ports.ledger.spend(request(time))).ok).toBe(true);
    expect((await ports.ledger.spend(request(5))).ok).toBe(false);
    await ports.ledger.fail(request(4));
    expect((await ports.ledger.spend(request(6))).ok).toBe(true);
  });

  test("a journal of an order is read as it was written, and others' orders are found", async () => {
    const [mine, other] = [ports.orders("ville"), ports.orders("autre")];
    expect(await mine.read()).toEqual([]);
    await mine.write({ event: "ordered", orderId: 7 });
    await mine.write({ event: "delivered", serviceName: "vps-1" });
    await other.write({ event: "ordered", orderId: 8 });
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(await ports.orders("ville").read()).toEqual([
      { time, event: "ordered", orderId: 7 },
      { time, event: "delivered", serviceName: "vps-1" },
    ]);
    expect(await mine.otherOrders()).toEqual([{ client: "autre", orderId: 8 }]);
    expect(await ports.orderedClients()).toEqual(["autre", "ville"]);
  });

  test("a journal of a retirement is read as it was written", async () => {
    const journal = ports.retirements("ville");
    await journal.write({ event: "withoutBackup", cause: "Côté", isGone: true });
    await journal.write({ event: "stopped" });
    expect(await ports.retirements("ville").read()).toMatchObject([
      { event: "withoutBackup", cause: "Côté", isGone: true },
      { event: "stopped" },
    ]);
    expect(await ports.retirements("autre").read()).toEqual([]);
  });

  test("a zone is published unless that began after what is asked for", async () => {
    let runs = 0;
    const refresh = async () => void runs++;
    const since = Date.now() - 10_000;
    expect(await ports.refreshZone("a.fr", since, refresh)).toBe(true);
    expect(await ports.refreshZone("a.fr", since, refresh)).toBe(false);
    expect(await ports.refreshZone("a.fr", Date.now() + 10_000, refresh)).toBe(true);
    expect(runs).toBe(2);
  });
}
