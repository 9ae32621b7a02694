/** @module Journals of operations in the operator's state: `operations/STACK/ID.jsonl`, a line an event, readable while they grow. */
import { appendFileSync, existsSync, mkdirSync, statSync } from "node:fs";
import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { z } from "zod";
import { FleetError } from "../core/errors.ts";
import {
  type OperationEvent,
  type OperationView,
  parseJournal,
  readOperation,
  type Told,
} from "../core/operation/journal.ts";
import type { OperationJournals, OperationWriter } from "../core/operation/port.ts";
import { isAlive, ownProcess } from "./process.ts";

/** What is kept: operations that ended longer ago, beyond the number, or beyond the size are removed, the oldest first. */
export interface Retention {
  /** @default 400 */
  readonly days?: number;
  /** @default 2000 */
  readonly count?: number;
  /** Bytes of one stack's journals. @default 256 MiB */
  readonly bytes?: number;
}

/** Lines of output beyond this many bytes of one journal are left out; what was done is always told. */
const outputBytes = 16 * 2 ** 20;

const Started = z.object({ started: z.string() });

/** `state`: the operator's folder. */
export function operationJournals(
  state: string,
  stack: string,
  { days = 400, count = 2000, bytes = 256 * 2 ** 20 }: Retention = {},
): OperationJournals {
  const folder = operationsFolder(state, stack);
  const path = (id: string) => {
    if (!/^\d{8}T\d{6}-[0-9a-f]{4}$/.test(id))
      throw new FleetError("OPERATION_UNKNOWN", { id: JSON.stringify(id.slice(0, 60)) });
    return join(folder, `${id}.jsonl`);
  };
  return { create, list, find, events, follow, cancel };

  function create(id: string): OperationWriter {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = path(id);
    let isFull = false;
    // What is kept too long is no failure of an operation.
    void prune(id).catch(() => {});
    return { tell, cancelFile: cancelFile(id) };

    function tell(told: Told): void {
      if (told.kind === "line" && isFull) return;
      // Beside its number, the moment of the process's start: numbers are given again.
      const mark = told.kind === "begin" ? { started: ownProcess().started } : {};
      appendFileSync(file, `${JSON.stringify({ ...told, ...mark, time: Date.now() })}\n`, { mode: 0o600 });
      isFull ||= told.kind === "line" && statSync(file).size > outputBytes;
    }
  }

  async function ids(): Promise<string[]> {
    const names = await readdir(folder).catch(() => []);
    return names
      .flatMap((name) => /^(\d{8}T\d{6}-[0-9a-f]{4})\.jsonl$/.exec(name)?.[1] ?? [])
      .sort()
      .reverse();
  }

  async function list(): Promise<OperationView[]> {
    const views = await Promise.all((await ids()).map(find));
    return views.filter((view) => view !== undefined);
  }

  async function find(id: string): Promise<OperationView | undefined> {
    const text = await readFile(path(id), "utf8").catch(absent);
    return text === undefined ? undefined : viewOf(text);
  }

  async function events(id: string): Promise<OperationEvent[]> {
    const text = await readFile(path(id), "utf8").catch(absent);
    if (text === undefined) throw new FleetError("OPERATION_UNKNOWN", { id });
    return parseJournal(text);
  }

  async function* follow(id: string, signal?: AbortSignal): AsyncGenerator<OperationEvent> {
    let shown = 0;
    for (;;) {
      const text = await readFile(path(id), "utf8").catch(absent);
      if (text === undefined) throw new FleetError("OPERATION_UNKNOWN", { id });
      // Asked before it is read again: an end written in between is seen.
      const isOver = viewOf(text)?.state !== "running";
      const found = parseJournal(isOver ? await readFile(path(id), "utf8") : text);
      yield* found.slice(shown);
      shown = found.length;
      if (isOver || signal?.aborted) return;
      await setTimeout(250);
    }
  }

  async function cancel(id: string): Promise<void> {
    const view = await find(id);
    if (!view) throw new FleetError("OPERATION_UNKNOWN", { id });
    if (view.state !== "running")
      throw new FleetError("OPERATION_ENDED", { id, state: `operation.state.${view.state}` });
    await writeFile(cancelFile(id), "", { mode: 0o600 });
  }

  function cancelFile(id: string): string {
    return `${path(id)}.cancel`;
  }

  /** `newest`: the journal that is being begun. */
  async function prune(newest: string): Promise<void> {
    let total = 0;
    for (const [index, id] of (await ids()).filter((each) => each !== newest).entries()) {
      const { size, mtimeMs } = await stat(path(id));
      total += size;
      const isOld = Date.now() - mtimeMs > days * 86_400_000;
      if (!isOld && index + 1 < count && total <= bytes) continue;
      for (const each of [path(id), cancelFile(id)]) await rm(each, { force: true });
    }
  }
}

/** Where a stack's operations are kept. @throws FleetError `STACK_NAME_INVALID` */
export function operationsFolder(state: string, stack: string): string {
  const name = stack.split("/").at(-1) ?? "";
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/.test(name))
    throw new FleetError("STACK_NAME_INVALID", { stack: JSON.stringify(stack.slice(0, 60)) });
  return join(state, "operations", name);
}

function viewOf(text: string): OperationView | undefined {
  const events = parseJournal(text);
  const [begin] = events;
  if (begin?.kind !== "begin") return undefined;
  const { success, data } = Started.safeParse(JSON.parse(text.slice(0, text.indexOf("\n"))));
  const mark = { pid: begin.pid, host: begin.host, started: success ? data.started : "" };
  return readOperation(events, isAlive(mark));
}

/** Whether somebody asked for the end of an operation. */
export function isCancelled(cancelFile: string): boolean {
  return existsSync(cancelFile);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
