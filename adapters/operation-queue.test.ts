/**
 * The line of operations with real processes: order, refusal, a holder that is killed, many at once.
 * Not proven: machines that share a folder over a network.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Holder } from "../core/operation/port.ts";
import { operationQueue } from "./operation-queue.ts";

let state: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "geoclic-queue-"));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(state, { recursive: true, force: true });
});

function enter(what: string, { wait = true, signal = new AbortController().signal } = {}) {
  const waited: Holder[] = [];
  const dead: Holder[] = [];
  const turn = operationQueue(state, "prod").enter(what, "me", {
    wait,
    signal,
    onWait: (holder) => waited.push(holder),
    onDead: (holder) => dead.push(holder),
  });
  return { turn, waited, dead };
}

/** A process that holds the turn until it is killed. */
async function holder(): Promise<ChildProcess> {
  const script = `
    import { operationQueue } from ${JSON.stringify(resolve(import.meta.dirname, "operation-queue.ts"))};
    const options = { wait: true, signal: new AbortController().signal, onWait: () => {}, onDead: () => {} };
    await operationQueue(${JSON.stringify(state)}, "prod").enter("update other", "you", options);
    console.log("held");
    setInterval(() => {}, 1000);`;
  const file = join(state, "holder.mts");
  await writeFile(file, script);
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  await new Promise((held) => child.stdout?.once("data", held));
  return child;
}

test("one at a time, in the order of their arrival", async () => {
  const order: string[] = [];
  const first = await enter("first").turn;
  const waiting = ["second", "third"].map(async (name) => {
    const ticket = await enter(name).turn;
    order.push(name);
    await ticket.release();
  });
  await expect.poll(async () => (await readdir(join(state, "operations/prod/queue"))).length).toBe(3);
  expect(order).toEqual([]);
  await first.release();
  await Promise.all(waiting);
  expect(order).toHaveLength(2);
  expect(await readdir(join(state, "operations/prod/queue"))).toEqual([]);
});

test("who waits sees the holder; who must not wait is refused and leaves no ticket", async () => {
  const child = await holder();
  await expect(enter("mine", { wait: false }).turn).rejects.toMatchObject({
    code: "OPERATION_LOCKED",
    values: { what: "update other", actor: "you", pid: child.pid },
  });
  const { turn, waited, dead } = enter("mine");
  await expect.poll(() => waited).toMatchObject([{ what: "update other", actor: "you", pid: child.pid }]);
  child.kill("SIGKILL");
  await (await turn).release();
  expect(dead).toMatchObject([{ what: "update other", pid: child.pid }]);
});

test("waiting can be cancelled", async () => {
  const held = await enter("first").turn;
  const controller = new AbortController();
  const { turn } = enter("second", { signal: controller.signal });
  controller.abort();
  await expect(turn).rejects.toThrow("CANCELLED");
  await held.release();
  expect(await readdir(join(state, "operations/prod/queue"))).toEqual([]);
});

test("a number that was given again to another process is no holder", async () => {
  const held = await enter("first").turn;
  const folder = join(state, "operations/prod/queue");
  const [name = ""] = await readdir(folder);
  await writeFile(
    join(folder, name),
    JSON.stringify({
      what: "old",
      actor: "you",
      since: "",
      pid: process.pid,
      host: (await import("node:os")).hostname(),
      started: "1",
    }),
  );
  const { turn, dead } = enter("second", { wait: false });
  await (await turn).release();
  expect(dead).toMatchObject([{ what: "old" }]);
  await held.release();
});

test("never two at once, however many come together", async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const ticket = await enter(`n${index}`).turn;
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((done) => setTimeout(done, 5));
      inside -= 1;
      await ticket.release();
    }),
  );
  expect(most).toBe(1);
}, 30_000);
