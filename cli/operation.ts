/** @module A command's work as an operation: shown as it goes, ended by Ctrl-C or `operations cancel`. */
import { exitStatus } from "../core/exit-status.ts";
import { text } from "../core/messages/catalogue.ts";
import type { Request } from "../core/operation/request.ts";
import type { Operation, OperationRequest } from "../wiring/operation.ts";
import type { Console } from "./console.ts";
import { openProgress } from "./progress.ts";

/** `json`: the operation's view is printed at its end, and nothing else on standard output. */
export async function asOperation(
  console: Console,
  stack: string,
  request: OperationRequest & { readonly json?: boolean },
  work: (operation: Operation) => Promise<void>,
): Promise<void> {
  const { expectedOf, journalsOf, operate } = await import("../wiring/operation.ts");
  const progress = openProgress(console, await expectedOf(stack, request.request.verb));
  const interruption = interruptible(console);
  let id: string | undefined;
  try {
    const door = {
      ...interruption,
      language: console.language,
      progress: console.progress,
      show: progress.show,
      onBegin: (begun: string, cancel: () => Promise<void>) => {
        id = begun;
        interruption.onBegin(begun, cancel);
      },
    };
    await operate(door, stack, request, work);
  } finally {
    progress.close();
    interruption.close();
    if (request.json && id !== undefined) console.json(await journalsOf(stack).find(id));
  }
}

/**
 * The same for a command that asks questions as it goes: it shows its own lines, which are journalled, and Ctrl-C ends it
 * as any program; each of its steps can be run again. `line`: a line of its own below the stack's, for what others need not
 * wait for.
 */
export async function asAttended(
  console: Console,
  stack: string | undefined,
  request: Request,
  ...[work, line]: [work: (console: Console) => Promise<void>, line?: string]
): Promise<void> {
  const { operate, stackOf } = await import("../wiring/operation.ts");
  const door = {
    language: console.language,
    progress: console.progress,
    cancelled: new AbortController().signal,
    show: () => {},
    onBegin: () => {},
    onCancelled: () => {},
  };
  const name = await stackOf(stack);
  const attend = async (operation: Operation) => {
    const progress = (told: string) => {
      operation.line(told);
      console.progress(told);
    };
    await work({ ...console, progress });
  };
  const turn = line === undefined ? name : `${name}/${line}`;
  await operate(door, name, { request, wait: true, isAttended: true }, attend, turn);
}

/** The first signal asks for the end of the operation, the second one ends the process. */
function interruptible(console: Console) {
  const controller = new AbortController();
  let ask: (() => Promise<void>) | undefined;
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(exitStatus.cancelled);
    console.progress(text("operation.cancelling", console.language));
    controller.abort();
    void ask?.().catch(() => {});
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    cancelled: controller.signal,
    onBegin: (_id: string, cancel: () => Promise<void>) => {
      ask = cancel;
    },
    onCancelled: () => controller.abort(),
    close() {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
