/**
 * The line of operations with real processes: order, refusal, a holder that is killed, many at once.
 * Not proven: machines that share a folder over a network.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
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
  const names = ["second", "third", "fourth"];
  const waiting: Promise<void>[] = [];
  for (const [index, name] of names.entries()) {
    waiting.push(
      enter(name).turn.then(async (ticket) => {
        order.push(name);
        await ticket.release();
      }),
    );
    const inLine = async () => (await readdir(join(state, "operations/prod/queue"))).length;
    await expect.poll(inLine).toBe(index + 2);
  }
  expect(order).toEqual([]);
  await first.release();
  await Promise.all(waiting);
  expect(order).toEqual(names);
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

/** A process that takes the turn some times, and says when it has it. */
function worker(log: string, times: number): Promise<void> {
  const script = `
    import { appendFileSync } from "node:fs";
    import { setTimeout } from "node:timers/promises";
    import { operationQueue } from ${JSON.stringify(resolve(import.meta.dirname, "operation-queue.ts"))};
    const options = { wait: true, signal: new AbortController().signal, onWait: () => {}, onDead: () => {} };
    for (let time = 0; time < ${times}; time += 1) {
      const ticket = await operationQueue(${JSON.stringify(state)}, "prod").enter("update", "you", options);
      appendFileSync(${JSON.stringify(log)}, "in " + process.pid + "\\n");
      await setTimeout(20);
      appendFileSync(${JSON.stringify(log)}, "out " + process.pid + "\\n");
      await ticket.release();
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  children.push(child);
  return new Promise((done, fail) =>
    child.once("exit", (status) => (status === 0 ? done() : fail(new Error(`it ended with ${status}`)))),
  );
}

test("never two at once, of several processes", async () => {
  const log = join(state, "log");
  await Promise.all(Array.from({ length: 3 }, () => worker(log, 4)));
  const lines = (await readFile(log, "utf8")).trim().split("\n");
  expect(lines).toHaveLength(24);
  for (let at = 0; at < lines.length; at += 2) expect(lines[at + 1]).toBe(lines[at]?.replace("in ", "out "));
  expect(new Set(lines).size).toBe(6);
}, 60_000);

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
