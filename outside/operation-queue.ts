/**
 * @module The line of a stack's operations: each takes a numbered ticket, and the lowest one whose process lives has the
 * turn. A ticket is made whole or not at all, and a dead one is removed by whoever meets it.
 */
import { randomBytes } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { FleetError } from "../core/errors.ts";
import type { Holder, OperationQueue, Ticket } from "../core/operation/port.ts";
import { operationsFolder } from "./operation-journals.ts";
import { isAlive, ownProcess } from "./process.ts";

const Mark = z.object({
  what: z.string(),
  actor: z.string(),
  since: z.string(),
  pid: z.int(),
  host: z.string(),
  started: z.string(),
});
type Mark = z.infer<typeof Mark>;

const everyMilliseconds = 300;

/** `state`: the operator's folder. */
export function operationQueue(state: string, stack: string): OperationQueue {
  const folder = join(operationsFolder(state, stack), "queue");
  return { enter };

  async function enter(
    what: string,
    actor: string,
    { wait, signal, onWait, onDead }: Parameters<OperationQueue["enter"]>[2],
  ): Promise<Ticket> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const own = await take({ what, actor, since: new Date().toISOString(), ...ownProcess() });
    const release = () => rm(join(folder, own), { force: true });
    let shown = "";
    try {
      for (;;) {
        const holder = await firstLiving(own, onDead);
        if (!holder) return { release };
        if (!wait)
          throw new FleetError("OPERATION_LOCKED", {
            stack,
            what: holder.what,
            actor: holder.actor,
            pid: holder.pid,
            since: holder.since,
          });
        if (shown !== holder.what) onWait(holder);
        shown = holder.what;
        if (signal.aborted) throw new FleetError("CANCELLED", { operation: what });
        await setTimeout(everyMilliseconds);
      }
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** Whoever stands before a ticket and lives, the first of them. */
  async function firstLiving(own: string, onDead: (holder: Holder) => void): Promise<Holder | undefined> {
    for (const name of await tickets()) {
      if (Number(name) >= Number(own)) return undefined;
      const mark = await read(name);
      if (!mark) continue;
      if (isAlive(mark)) return mark;
      await rm(join(folder, name), { force: true });
      onDead(mark);
    }
    return undefined;
  }

  async function take(mark: Mark): Promise<string> {
    const partial = join(folder, `.${randomBytes(6).toString("hex")}`);
    await writeFile(partial, JSON.stringify(mark), { mode: 0o600 });
    try {
      for (;;) {
        const name = String(Number((await tickets()).at(-1) ?? 0) + 1).padStart(8, "0");
        try {
          await link(partial, join(folder, name));
          // The line may have been empty when it was read, and have moved on since: a number below the present ones would jump it.
          if (!(await tickets()).some((other) => other > name)) return name;
          await rm(join(folder, name), { force: true });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        }
      }
    } finally {
      await rm(partial, { force: true });
    }
  }

  async function tickets(): Promise<string[]> {
    return (await readdir(folder)).filter((name) => /^\d{8}$/.test(name)).sort();
  }

  async function read(name: string): Promise<Mark | undefined> {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    try {
      return Mark.parse(JSON.parse(text));
    } catch {
      // It was given back meanwhile.
      return undefined;
    }
  }
}
