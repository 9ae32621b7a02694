/** @module One run of a verb on a stack: waits for its turn, is journalled as it happens, can be cancelled. */
import { describe, FleetError } from "../core/errors.ts";
import { type Outcome, withoutSecrets } from "../core/operation/journal.ts";
import type { Holder, OperationJournals, OperationQueue } from "../core/operation/port.ts";
import type { Request } from "../core/operation/request.ts";

export interface OperationContext {
  readonly stack: string;
  readonly actor: string;
  readonly pid: number;
  readonly host: string;
  readonly journals: OperationJournals;
  readonly queue: OperationQueue;
  /** Ends by a signal of the terminal, and by `operations cancel`. */
  readonly cancelled: AbortSignal;
  /** A new operation's id; ids sort by time. */
  newId(): string;
  /** Called once the journal exists, so that somebody may show it. */
  onBegin(id: string, cancelFile: string): void;
  onWait(holder: Holder): void;
  onDead(holder: Holder): void;
}

export interface OperationRequest {
  /** Enough to ask for it again. */
  readonly request: Request;
  /** Wait in line behind another operation, or be refused. */
  readonly wait: boolean;
  /** Id of the interrupted operation that it goes on with. */
  readonly resumes?: string;
  /** Somebody answers its questions; `operations cancel` is refused. */
  readonly isAttended?: boolean;
}

/** What the work of an operation tells and asks. */
export interface Operation {
  readonly id: string;
  readonly cancelled: AbortSignal;
  /** Path whose existence tells steps in other processes that the operation is cancelled. */
  readonly cancelFile: string;
  plan(waves: readonly (readonly string[])[], targets: Readonly<Record<string, string>>): void;
  wave(number: number, clients: readonly string[]): void;
  step(client: string, step: string): void;
  stepEnd(client: string, step: string, ok: boolean): void;
  line(text: string, client?: string): void;
  client(
    client: string,
    outcome: Outcome,
    told?: { readonly release?: string | undefined; readonly cause?: string | undefined },
  ): void;
  /** @throws FleetError `CANCELLED` */
  refuseCancelled(): void;
}

export interface OperationEnd {
  readonly id: string;
  /** Clients by outcome, in the order of their end. */
  readonly clients: ReadonlyMap<string, Outcome>;
}

/**
 * @throws FleetError `OPERATION_LOCKED`, `CANCELLED`, and what the work throws, once the journal has its end.
 * A client's failure is told by `client`, and makes the operation a failed one: `CLIENTS_FAILED`.
 */
export async function runOperation(
  context: OperationContext,
  { request: { verb, ...request }, wait, resumes, isAttended }: OperationRequest,
  work: (operation: Operation) => Promise<void>,
): Promise<OperationEnd> {
  const { stack, actor, pid, host, cancelled } = context;
  const id = context.newId();
  const { onWait, onDead } = context;
  const ticket = await context.queue.enter(`${verb} ${id}`, actor, {
    wait,
    signal: cancelled,
    onWait,
    onDead,
  });
  try {
    const writer = context.journals.create(id);
    const { tell, cancelFile } = writer;
    const kept = withoutSecrets(request);
    tell({
      kind: "begin",
      id,
      verb,
      stack,
      actor,
      request: kept,
      pid,
      host,
      ...(resumes === undefined ? {} : { resumes }),
      ...(isAttended ? { isAttended } : {}),
    });
    const clients = new Map<string, Outcome>();
    const operation: Operation = {
      id,
      cancelled,
      cancelFile,
      plan: (waves, targets) =>
        tell({ kind: "plan", waves: waves.map((names) => [...names]), targets: { ...targets } }),
      wave: (number, names) => tell({ kind: "wave", number, clients: [...names] }),
      step: (client, step) => tell({ kind: "step", client, step }),
      stepEnd: (client, step, ok) => tell({ kind: "step-end", client, step, ok }),
      line: (text, client) => tell({ kind: "line", text, ...(client === undefined ? {} : { client }) }),
      client: (client, outcome, { release, cause } = {}) => {
        clients.set(client, outcome);
        tell({
          kind: "client",
          client,
          outcome,
          ...(release === undefined ? {} : { release }),
          ...(cause === undefined ? {} : { cause }),
        });
      },
      refuseCancelled: () => {
        if (cancelled.aborted) throw new FleetError("CANCELLED", { operation: id });
      },
    };
    context.onBegin(id, cancelFile);
    try {
      await work(operation);
      refuseFailed(id, clients);
      tell({ kind: "end", outcome: "succeeded" });
      return { id, clients };
    } catch (error) {
      const isCancelled = cancelled.aborted || (error instanceof FleetError && error.code === "CANCELLED");
      const cause = error instanceof FleetError ? describe(error, "en") : String(error);
      tell({ kind: "end", outcome: isCancelled ? "cancelled" : "failed", cause });
      throw isCancelled ? new FleetError("CANCELLED", { operation: id }) : error;
    }
  } finally {
    await ticket.release();
  }
}

function refuseFailed(id: string, clients: ReadonlyMap<string, Outcome>): void {
  const names = (outcome: Outcome) =>
    [...clients].filter(([, each]) => each === outcome).map(([name]) => name);
  const failed = names("failed");
  const offline = names("offline");
  if (failed.length > 0)
    throw new FleetError("CLIENTS_FAILED", {
      operation: id,
      count: failed.length,
      of: clients.size,
      failed: failed.join(", "),
    });
  if (offline.length > 0)
    throw new FleetError("CLIENTS_OFFLINE", {
      operation: id,
      count: offline.length,
      offline: offline.join(", "),
    });
}
