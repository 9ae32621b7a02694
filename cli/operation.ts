/** @module Runs a command's work as an operation: in line, journalled, shown as it goes, ended by Ctrl-C or `operations cancel`. */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { actorOf } from "../outside/git.ts";
import { home } from "../outside/home.ts";
import { isCancelled, operationJournals } from "../outside/operation-journals.ts";
import { operationQueue } from "../outside/operation-queue.ts";
import { selectedStack } from "../outside/pulumi.ts";
import { exitStatus } from "../core/exit-status.ts";
import { text, type Values } from "../core/messages/catalogue.ts";
import { expectedSeconds } from "../core/operation/journal.ts";
import type { Holder } from "../core/operation/port.ts";
import { type Operation, type OperationRequest, runOperation } from "../verbs/operation.ts";
import type { Console } from "./console.ts";
import { openProgress } from "./progress.ts";

/** `json`: the operation's view is printed at its end, and nothing else on standard output. */
export async function asOperation(
  console: Console,
  stack: string,
  request: OperationRequest & { readonly json?: boolean },
  work: (operation: Operation) => Promise<void>,
): Promise<void> {
  const { state } = home();
  const journals = operationJournals(state, stack);
  const { name: actor } = await actorOf();
  const expected = expectedSeconds(await journals.list(), request.verb);
  const progress = openProgress(console, expected);
  const interruption = interruptible(console);
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  let id: string | undefined;
  try {
    await runOperation(
      {
        stack,
        actor,
        pid: process.pid,
        host: hostname(),
        journals: {
          ...journals,
          create: (created) => {
            const writer = journals.create(created);
            return {
              cancelFile: writer.cancelFile,
              tell: (event) => {
                writer.tell(event);
                progress.show({ ...event, time: Date.now() });
              },
            };
          },
        },
        queue: operationQueue(state, stack),
        cancelled: interruption.signal,
        newId,
        onBegin: (begun, cancelFile) => {
          id = begun;
          interruption.watch(cancelFile, () => journals.cancel(begun));
        },
        ...shown(console, t),
      },
      request,
      work,
    );
  } finally {
    progress.close();
    interruption.close();
    if (request.json && id !== undefined) console.json(await journals.find(id));
  }
}

/**
 * The same for a command that asks questions as it goes: it shows its own lines, which are journalled, and Ctrl-C ends it
 * as any program; each of its steps can be run again.
 */
export async function asAttended(
  console: Console,
  stack: string | undefined,
  verb: string,
  request: Readonly<Record<string, unknown>>,
  work: (console: Console) => Promise<void>,
): Promise<void> {
  const name = stack ?? (await selectedStack());
  const { state } = home();
  const { name: actor } = await actorOf();
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  await runOperation(
    {
      stack: name,
      actor,
      pid: process.pid,
      host: hostname(),
      journals: operationJournals(state, name),
      queue: operationQueue(state, name),
      cancelled: new AbortController().signal,
      newId,
      onBegin: () => {},
      ...shown(console, t),
    },
    { verb, request, wait: true },
    async (operation) => {
      const progress = (line: string) => {
        operation.line(line);
        console.progress(line);
      };
      await work({ ...console, progress });
    },
  );
}

function shown(console: Console, t: (key: Parameters<typeof text>[0], values?: Values) => string) {
  return {
    onWait: ({ what, actor, pid, since }: Holder) =>
      console.progress(t("operation.waits", { what, actor, pid, since })),
    onDead: ({ what, actor, pid }: Holder) => console.progress(t("operation.dead", { what, actor, pid })),
  };
}

/** Sorts by time: `20261123T131500-0a1b`. */
function newId(): string {
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+Z/g, "");
  return `${stamp}-${randomBytes(2).toString("hex")}`;
}

/** The first signal asks for the end of the operation, the second one ends the process. */
function interruptible(console: Console) {
  const controller = new AbortController();
  let ask: (() => Promise<void>) | undefined;
  let timer: NodeJS.Timeout | undefined;
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitStatus.cancelled);
    console.progress(text("operation.cancelling", console.language));
    controller.abort();
    void ask?.().catch(() => {});
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    watch(cancelFile: string, cancel: () => Promise<void>) {
      ask = cancel;
      timer = setInterval(() => {
        if (isCancelled(cancelFile)) controller.abort();
      }, 300);
      timer.unref();
    },
    close() {
      clearInterval(timer);
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
