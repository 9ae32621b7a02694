/** @module Runs a verb's work as an operation of a stack: in line, journalled, told to the door that asked as it goes. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { text } from "../core/messages/catalogue.ts";
import { expectedSeconds, type OperationEvent } from "../core/operation/journal.ts";
import type { OperationJournals } from "../core/operation/port.ts";
import type { Audience } from "../core/ports.ts";
import { actorOf } from "../outside/git.ts";
import { home } from "../outside/home.ts";
import { isCancelled, operationJournals } from "../outside/operation-journals.ts";
import { operationQueue } from "../outside/operation-queue.ts";
import { selectedStack } from "../outside/pulumi.ts";
import { type Operation, type OperationRequest, runOperation } from "../verbs/operation.ts";

export type { Operation, OperationRequest };

/** The door through which an operation was asked for. */
export interface Door extends Audience {
  /** Ends with the wish to cancel: a signal of the terminal, a person of the dashboard. */
  readonly cancelled: AbortSignal;
  /** Called with each event as it is journalled. */
  show(event: OperationEvent): void;
  /** The operation has begun; `cancel` asks for its end by the journal, which other processes see too. */
  onBegin(id: string, cancel: () => Promise<void>): void;
  /** The operation was cancelled by another process. */
  onCancelled(): void;
}

const lookMilliseconds = 300;

/** `turn`: whose line it stands in; the stack's, or a name below it for work that others need not wait for. */
export async function operate(
  door: Door,
  stack: string,
  request: OperationRequest,
  work: (operation: Operation) => Promise<void>,
  turn = stack,
): Promise<void> {
  const { state } = home();
  const journals = operationJournals(state, stack);
  const { name: actor } = await actorOf();
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, door.language, values);
  let timer: NodeJS.Timeout | undefined;
  try {
    await runOperation(
      {
        stack,
        actor,
        pid: process.pid,
        host: hostname(),
        journals: {
          ...journals,
          create: (id) => {
            const writer = journals.create(id);
            return {
              cancelFile: writer.cancelFile,
              tell: (event) => {
                writer.tell(event);
                door.show({ ...event, time: Date.now() });
              },
            };
          },
        },
        queue: operationQueue(state, turn),
        cancelled: door.cancelled,
        newId,
        onBegin: (id, cancelFile) => {
          door.onBegin(id, () => journals.cancel(id));
          timer = setInterval(() => {
            if (isCancelled(cancelFile)) door.onCancelled();
          }, lookMilliseconds);
          timer.unref();
        },
        onWait: ({ what, actor: by, pid, since }) =>
          door.progress(t("operation.waits", { what, actor: by, pid, since })),
        onDead: ({ what, actor: by, pid }) => door.progress(t("operation.dead", { what, actor: by, pid })),
      },
      request,
      work,
    );
  } finally {
    clearInterval(timer);
  }
}

/** Seconds that a town takes in a verb, as it took before; undefined when it never did. */
export async function expectedOf(stack: string, verb: string): Promise<number | undefined> {
  return expectedSeconds(await operationJournals(home().state, stack).list(), verb);
}

export function journalsOf(stack: string): OperationJournals {
  return operationJournals(home().state, stack);
}

/** The stack that is named, or the one that is selected. */
export async function stackOf(stack: string | undefined): Promise<string> {
  return stack ?? (await selectedStack());
}

/** Sorts by time: `20261123T131500-0a1b`. */
function newId(): string {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+Z/g, "");
  return `${stamp}-${randomBytes(2).toString("hex")}`;
}
