/** @module `operations`: list, show, follow, cancel, resume. */
import { FleetError } from "../../core/errors.ts";
import { exitStatus } from "../../core/exit-status.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { OperationEvent, OperationView } from "../../core/operation/journal.ts";
import type { OperationJournals } from "../../core/operation/port.ts";
import { readRequest } from "../../core/operation/request.ts";
import { type CommandSpec, command } from "../command.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { commitOption, integer, jsonOption, stackOption, waitOption } from "../options.ts";
import { openProgress } from "../progress.ts";
import { table } from "../table.ts";

export interface OperationsOptions {
  readonly stack?: string;
  readonly json?: boolean;
  readonly limit?: string;
  readonly wait?: boolean;
  readonly commit?: boolean;
  readonly withoutCanary?: boolean;
}

const operations: CommandSpec = {
  path: "operations",
  group: "tool",
  help: "operations.help",
  examples: ["operations list", "operations follow", "operations resume"],
};

const listOperations = command({
  path: "operations list",
  help: "operations.help.list",
  options: [
    { usage: "--limit <number>", help: "operations.help.count", fallback: "20" },
    jsonOption,
    stackOption,
  ],
  examples: ["operations list --limit 5"],
  run: (console, options: OperationsOptions) => list(console, options),
});

const looks = (
  [
    ["show", show, ["operations show 20261123T131500-0a1b"]],
    ["follow", follow, ["operations follow"]],
    ["cancel", cancel, ["operations cancel"]],
  ] as const
).map(([verb, work, examples]) =>
  command({
    path: `operations ${verb}`,
    help: `operations.help.${verb}`,
    arguments: [{ usage: "[id]", help: "operations.help.id" }],
    options: [jsonOption, stackOption],
    examples,
    run: (console, options: OperationsOptions, id: string | undefined) => work(console, id, options),
  }),
);

const resumeOperation = command({
  path: "operations resume",
  help: "operations.help.resume",
  arguments: [{ usage: "[id]", help: "operations.help.id" }],
  options: [
    jsonOption,
    { usage: "--without-canary", help: "update.help.withoutCanary" },
    waitOption,
    commitOption,
    stackOption,
  ],
  examples: ["operations resume", "operations resume 20261123T131500-0a1b"],
  run: (console, options: OperationsOptions, id: string | undefined) => resume(console, id, options),
});

export const operationCommands = [operations, listOperations, ...looks, resumeOperation] as const;

interface StackJournals {
  readonly stack: string;
  readonly journals: OperationJournals;
}

async function journalsOf(given: string | undefined): Promise<StackJournals> {
  const { journalsOf: open, stackOf } = await import("../../wiring/operation.ts");
  const stack = await stackOf(given);
  return { stack, journals: open(stack) };
}

async function list(console: Console, options: OperationsOptions): Promise<void> {
  const count = integer("--limit", options.limit ?? "20", 1, 2000);
  const found = (await (await journalsOf(options.stack)).journals.list()).slice(0, count);
  if (options.json) return console.json(found);
  const t = (key: Parameters<typeof text>[0]) => text(key, console.language);
  if (found.length === 0) return console.print(t("operations.none"));
  const head = ["operation", "verb", "actor", "began", "took", "outcome"] as const;
  console.print(
    table(
      head.map((key) => t(`column.${key}`)),
      found.map((operation) => [
        operation.id,
        operation.verb,
        operation.actor,
        localTime(operation.began),
        took(operation),
        `${t(`operation.state.${operation.state}`)} ${counted(operation)}`.trim(),
      ]),
    ),
  );
}

/** `2026-11-26 18:05`, of this machine's clock: the same for readers of every language. */
function localTime(milliseconds: number): string {
  return new Date(milliseconds).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" });
}

async function show(console: Console, id: string | undefined, options: OperationsOptions): Promise<void> {
  const held = await journalsOf(options.stack);
  const { journals } = held;
  const operation = await found(held, id);
  const events = await journals.events(operation.id);
  if (options.json) return console.json({ ...operation, events });
  const t = (key: Parameters<typeof text>[0]) => text(key, console.language);
  console.print(
    `${operation.id}  ${operation.verb}  ${operation.actor}  ${t(`operation.state.${operation.state}`)}  ${took(operation)}`,
  );
  console.print(JSON.stringify(operation.request));
  for (const event of events) {
    const line = told(event);
    if (line) console.print(`${new Date(event.time).toLocaleTimeString("sv-SE")}  ${line}`);
  }
  const head = ["client", "outcome", "release", "took", "cause"] as const;
  console.print(
    table(
      head.map((key) => t(`column.${key}`)),
      operation.clients.map(({ client, outcome, release, cause, began, ended }) => [
        client,
        t(`outcome.${outcome ?? "waiting"}`),
        release ?? "-",
        began === undefined || ended === undefined ? "-" : `${Math.round((ended - began) / 1000)} s`,
        cause ?? "-",
      ]),
    ),
  );
}

async function follow(console: Console, id: string | undefined, options: OperationsOptions): Promise<void> {
  const held = await journalsOf(options.stack);
  const { journals } = held;
  const operation = await found(held, id);
  const progress = openProgress(console, undefined);
  try {
    for await (const event of journals.follow(operation.id)) {
      if (options.json) process.stdout.write(`${JSON.stringify(event)}\n`);
      else progress.show(event);
    }
  } finally {
    progress.close();
  }
  const ended = await found(held, operation.id);
  console.progress(text(`operation.state.${ended.state}`, console.language));
  if (ended.state === "cancelled") console.end(exitStatus.cancelled);
  else if (ended.state !== "succeeded") console.fail();
}

async function cancel(console: Console, id: string | undefined, options: OperationsOptions): Promise<void> {
  const held = await journalsOf(options.stack);
  const { journals } = held;
  const operation = await found(held, id);
  const { verb, isAttended, state, pid } = operation;
  if (isAttended && state === "running")
    throw new FleetError("OPERATION_NOT_CANCELLABLE", { id: operation.id, verb, pid });
  await journals.cancel(operation.id);
  console.progress(text("operations.cancelled", console.language, { id: operation.id }));
}

async function resume(console: Console, id: string | undefined, options: OperationsOptions): Promise<void> {
  const held = await journalsOf(options.stack);
  const operation = await found(held, id);
  if (operation.verb === "ssh-key rotate") return resumeRotation(console, operation, options);
  const { wait = true, commit = true, json = false, withoutCanary = false } = options;
  const { planRest } = await import("../../wiring/update.ts");
  const { stack, request, work } = await planRest(console, { stack: held.stack, commit }, operation, {
    withoutCanary,
  });
  await asOperation(console, stack, { request, wait, json, resumes: operation.id }, work);
}

/** The rotation of the fleet's key is told by the master stack and the servers: it is asked for again. */
async function resumeRotation(
  console: Console,
  { id, request }: OperationView,
  { wait = true, json = false }: OperationsOptions,
): Promise<void> {
  const { rotate } = await import("./ssh-key.ts");
  const asked = readRequest("ssh-key rotate", { commit: true, stack: "master", parallel: 10, ...request });
  if (asked?.verb !== "ssh-key rotate")
    throw new FleetError("OPERATION_NOT_RESUMABLE", { id, verb: "ssh-key rotate", cause: "-" });
  const { stack, parallel, commit } = asked;
  await rotate(console, { stack, parallel: String(parallel), commit, wait, json, yes: true, resumes: id });
}

/** Of an id, or the newest. @throws FleetError `OPERATION_UNKNOWN`, `OPERATIONS_NONE` */
async function found({ stack, journals }: StackJournals, id: string | undefined): Promise<OperationView> {
  const operation = id === undefined ? (await journals.list())[0] : await journals.find(id);
  if (operation) return operation;
  if (id === undefined) throw new FleetError("OPERATIONS_NONE", { stack });
  throw new FleetError("OPERATION_UNKNOWN", { id: JSON.stringify(id.slice(0, 60)) });
}

function took({ began, ended }: OperationView): string {
  return ended === undefined ? "-" : `${Math.round((ended - began) / 1000)} s`;
}

function counted({ clients }: OperationView): string {
  const done = clients.filter(({ outcome }) => outcome === "done" || outcome === "unchanged").length;
  return clients.length === 0 ? "" : `${done}/${clients.length}`;
}

function told(event: OperationEvent): string {
  switch (event.kind) {
    case "line":
      return event.client ? `${event.client} | ${event.text}` : event.text;
    case "step":
      return `${event.client} · ${event.step}…`;
    case "step-end":
      return `${event.client} · ${event.step}: ${event.ok ? "ok" : "✗"}`;
    case "client":
      return [event.client, event.outcome, event.release, event.cause].filter(Boolean).join(" · ");
    case "end":
      return [event.outcome, event.cause].filter(Boolean).join(": ");
    case "begin":
    case "plan":
    case "wave":
      return "";
  }
}
