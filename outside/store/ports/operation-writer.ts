/** @module The journal of an operation that this process runs, written to the store in the order in which it is told. */
import { mkdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { OperationEvent, Told } from "../../../core/operation/journal.ts";
import type { OperationWriter } from "../../../core/operation/port.ts";
import { storedEvent } from "../../../core/store/operation-view.ts";
import type { Operations } from "../../../core/store/operations.ts";

export interface StoredWriter extends OperationWriter {
  /** When everything that was told is in the store. @throws FleetError of the store */
  settled(): Promise<void>;
}

/** Lines of output beyond this many bytes of one journal are left out; what was done is always told. */
const outputBytes = 16 * 2 ** 20;
const everyMilliseconds = 500;

/** What could not be written is thrown by the next `tell`, and by `settled`. */
export function storedWriter(
  operations: Operations,
  stack: string,
  id: string,
  cancelFile: string,
): StoredWriter {
  const waiting: OperationEvent[] = [];
  let writing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  let written = 0;
  let watch: NodeJS.Timeout | undefined;
  return { tell, cancelFile, settled };

  function tell(told: Told): void {
    if (failure) throw failure.error;
    if (told.kind === "line" && written > outputBytes) return;
    if (told.kind === "line") written += Buffer.byteLength(told.text);
    waiting.push({ ...told, time: Date.now() });
    writing ??= write().finally(() => {
      writing = undefined;
    });
  }

  async function settled(): Promise<void> {
    while (writing) await writing;
    if (failure) throw failure.error;
  }

  /** What is told while something is written goes together. */
  async function write(): Promise<void> {
    try {
      while (waiting.length > 0) await add(waiting.splice(0));
    } catch (error) {
      failure = { error };
      clearInterval(watch);
    }
  }

  async function add(events: readonly OperationEvent[]): Promise<void> {
    for (const event of events) if (event.kind === "begin") await begin(event);
    await operations.append(id, events.map(storedEvent));
    for (const event of events) if (event.kind === "end") await end(event.outcome);
  }

  async function begin({ verb, actor, request, resumes }: OperationEvent & { kind: "begin" }) {
    await operations.begin({
      id,
      verb,
      stack,
      actor,
      request,
      ...(resumes === undefined ? {} : { resumes }),
    });
    watch = setInterval(() => void look(), everyMilliseconds);
    watch.unref();
  }

  async function end(outcome: (OperationEvent & { kind: "end" })["outcome"]): Promise<void> {
    clearInterval(watch);
    await operations.become(id, outcome);
    await rm(cancelFile, { force: true });
  }

  /** Somebody, on whichever machine, may have asked for its end; steps look for a file. */
  async function look(): Promise<void> {
    const found = await operations.find(id).catch(() => undefined);
    if (found?.state !== "cancelling") return;
    clearInterval(watch);
    mkdirSync(dirname(cancelFile), { recursive: true, mode: 0o700 });
    writeFileSync(cancelFile, "", { mode: 0o600 });
  }
}
