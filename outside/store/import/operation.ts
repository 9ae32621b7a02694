/** @module Journals of operations, taken over with their events. */
import type { Transaction } from "kysely";
import { z } from "zod";
import { parseJournal, readOperation } from "../../../core/operation/journal.ts";
import { storedEvent } from "../../../core/store/operation-view.ts";
import { isAlive } from "../../process.ts";
import { addEvents } from "../events.ts";
import type { Schema } from "../schema.ts";

const Started = z.object({ started: z.string() });

/**
 * One that still runs, under an older program, is left for the next time. What has no beginning that can be understood tells
 * of nothing that was done: it is passed over, as it always was.
 */
export function importOperation(stack: string, id: string) {
  return async (db: Transaction<Schema>, text: string): Promise<boolean> => {
    const events = parseJournal(text);
    const [begin] = events;
    if (begin?.kind !== "begin") return true;
    const view = readOperation(events, isAlive({ ...begin, started: startedOf(text) }));
    if (!view) return true;
    if (view.state === "running") return false;
    const { state, began, ended, actor, verb, request, resumes } = view;
    await db
      .insertInto("operation")
      .values({
        ...{ id, verb, stack, actor, state, created: began, started: began },
        request: JSON.stringify(request),
        plan_hash: null,
        not_before: null,
        resumes: resumes ?? null,
        ended: ended ?? events.at(-1)?.time ?? began,
        exit: null,
        cause: null,
        cancel: null,
        holder: null,
        last_seq: 0,
        bytes: 0,
      })
      .execute();
    await addEvents(db, id, events.map(storedEvent));
    return true;
  };
}

/** The moment of its process's start, which the first line tells beside the event. */
function startedOf(text: string): string {
  try {
    return Started.parse(JSON.parse(text.slice(0, text.indexOf("\n")))).started;
  } catch {
    return "";
  }
}
