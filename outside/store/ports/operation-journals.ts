/** @module Journals of operations over the store. */
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { FleetError } from "../../../core/errors.ts";
import type { OperationEvent, OperationView } from "../../../core/operation/journal.ts";
import type { OperationJournals } from "../../../core/operation/port.ts";
import { fullView, listedView, toldEvents } from "../../../core/store/operation-view.ts";
import { heldStates, type Retention, type StoredEvent } from "../../../core/store/operations.ts";
import type { Store } from "../../../core/store/port.ts";
import { type StoredWriter, storedWriter } from "./operation-writer.ts";
import { stackName } from "./stack-name.ts";

export interface StoredJournalsOptions {
  /** Folder of the files that tell steps, in other processes, that their operation is cancelled. */
  readonly cancelFolder: string;
  /** Who cancels. */
  readonly actor: string;
  readonly retention?: Partial<Retention>;
}

export interface StoredJournals extends OperationJournals {
  create(id: string): StoredWriter;
}

const everyMilliseconds = 250;
const eventsAtOnce = 2_000;
const most = 100_000;

export function storedJournals(
  { operations }: Pick<Store, "operations">,
  stack: string,
  { cancelFolder, actor, retention = {} }: StoredJournalsOptions,
): StoredJournals {
  const name = stackName(stack);
  const kept: Retention = { days: 400, count: 2000, bytes: 256 * 2 ** 20, ...retention };
  return { create, list, find, events, follow, cancel };

  function create(id: string): StoredWriter {
    // What is kept too long is no failure of an operation.
    void operations.prune(name, { ...kept, count: kept.count - 1 }).catch(() => {});
    return storedWriter(operations, name, checked(id), cancelFile(id));
  }

  async function list(): Promise<OperationView[]> {
    const found = await operations.page({ stack: name, limit: most });
    const ids = found.map(({ id }) => id);
    const [outlines, clients] = await Promise.all([operations.outlines(ids), operations.clients(ids)]);
    return found.flatMap(
      (each) => listedView(each, outlines.get(each.id) ?? [], clients.get(each.id) ?? []) ?? [],
    );
  }

  async function find(id: string): Promise<OperationView | undefined> {
    const found = await operations.find(checked(id));
    return found?.stack === name ? fullView(found, await all(id)) : undefined;
  }

  async function events(id: string): Promise<OperationEvent[]> {
    await known(id);
    return toldEvents(await all(id));
  }

  async function* follow(id: string, signal?: AbortSignal): AsyncGenerator<OperationEvent> {
    let shown = 0;
    for (;;) {
      // Asked before its events are: an end that is written in between is seen.
      const { state } = await known(id);
      for (;;) {
        const more = await operations.events(id, shown, eventsAtOnce);
        yield* toldEvents(more);
        shown = more.at(-1)?.seq ?? shown;
        if (more.length < eventsAtOnce) break;
      }
      const isOver = state !== "queued" && !heldStates.some((held) => held === state);
      if (isOver || signal?.aborted) return;
      await setTimeout(everyMilliseconds);
    }
  }

  async function cancel(id: string): Promise<void> {
    await known(id);
    const state = await operations.cancel(id, actor);
    if (state !== "cancelling") return;
    // Its process looks for it too, on whichever machine it is.
    await mkdir(cancelFolder, { recursive: true, mode: 0o700 });
    if (!existsSync(cancelFile(id))) await writeFile(cancelFile(id), "", { mode: 0o600 });
    // It may have ended meanwhile, and have found nothing to remove.
    const after = await operations.find(id);
    if (after?.ended !== undefined) await rm(cancelFile(id), { force: true });
  }

  async function known(id: string) {
    const found = await operations.find(checked(id));
    if (found?.stack !== name) throw new FleetError("OPERATION_UNKNOWN", { id });
    return found;
  }

  async function all(id: string): Promise<StoredEvent[]> {
    const found: StoredEvent[] = [];
    for (;;) {
      const more = await operations.events(id, found.length, eventsAtOnce);
      found.push(...more);
      if (more.length < eventsAtOnce) return found;
    }
  }

  /** `cli/step.ts` reads the operation's id from it. */
  function cancelFile(id: string): string {
    return join(cancelFolder, `${checked(id)}.jsonl.cancel`);
  }
}

function checked(id: string): string {
  if (/^\d{8}T\d{6}-[0-9a-f]{4}$/.test(id)) return id;
  throw new FleetError("OPERATION_UNKNOWN", { id: JSON.stringify(id.slice(0, 60)) });
}
