/** @module Operations in the store: one row each, and their events. Moments are milliseconds since 1970. */
import type { Holder } from "./holder.ts";

/**
 * `queued`: nobody runs it yet; `waiting`: for an answer; `cancelling`: what was begun is let end; `interrupted`: its process
 * died; `abandoned`: somebody said that it is not gone on with.
 */
export const operationStates = [
  "queued",
  "waiting",
  "running",
  "cancelling",
  "cancelled",
  "failed",
  "succeeded",
  "interrupted",
  "abandoned",
] as const;
export type StoredState = (typeof operationStates)[number];

const next: Readonly<Record<StoredState, readonly StoredState[]>> = {
  queued: ["waiting", "running", "cancelled", "abandoned", "failed"],
  waiting: ["queued", "running", "cancelling", "cancelled", "failed", "interrupted"],
  running: ["waiting", "cancelling", "cancelled", "failed", "succeeded", "interrupted"],
  cancelling: ["cancelled", "failed", "succeeded", "interrupted"],
  interrupted: ["abandoned"],
  failed: ["abandoned"],
  cancelled: ["abandoned"],
  succeeded: [],
  abandoned: [],
};

export function mayBecome(from: StoredState, to: StoredState): boolean {
  return next[from].includes(to);
}

/** A process works on it, or waits in its name. */
export const heldStates = ["waiting", "running", "cancelling"] as const satisfies readonly StoredState[];

/** Why something failed, in no language: `FleetError` tells it in any. */
export interface Cause {
  readonly code: string;
  readonly values: Readonly<Record<string, string | number>>;
  readonly place?: { readonly client?: string; readonly step?: string };
}

export interface NewOperation {
  readonly id: string;
  readonly verb: string;
  readonly stack: string;
  /** The person who asked for it. */
  readonly actor: string;
  /** What was asked for, without secrets: it is enough to ask for it again. */
  readonly request: Readonly<Record<string, unknown>>;
  /** Of the plan that was agreed to. */
  readonly planHash?: string;
  /** It is not begun before. */
  readonly notBefore?: number;
  /** Id of the operation that this one goes on with. */
  readonly resumes?: string;
}

export interface Cancellation {
  readonly actor: string;
  readonly time: number;
  /** What is let end, e.g. steps by client. */
  readonly letsEnd: readonly string[];
}

export interface ClientOutcome {
  readonly client: string;
  readonly began?: number;
  readonly ended?: number;
  readonly outcome?: string;
  readonly release?: string;
}

export interface StoredOperation extends NewOperation {
  readonly state: StoredState;
  readonly created: number;
  readonly started?: number;
  readonly ended?: number;
  readonly exit?: number;
  readonly cause?: Cause;
  readonly cancel?: Cancellation;
  /** Process that runs it, or ran it. */
  readonly holder?: Holder;
  /** Number of its newest event; 0 without one. */
  readonly lastSeq: number;
  /** Of its events. */
  readonly bytes: number;
}

export interface NewEvent {
  readonly kind: string;
  /** Key and values, as the kind has them. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly client?: string;
  /** @default now */
  readonly time?: number;
}

export interface StoredEvent {
  /** From 1, without a gap. */
  readonly seq: number;
  readonly time: number;
  readonly kind: string;
  readonly client?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface PageQuestion {
  readonly stack?: string;
  readonly states?: readonly StoredState[];
  /** Id: those older than it. */
  readonly before?: string;
  /** @default 50 */
  readonly limit?: number;
}

/** What is kept of a stack: operations that ended longer ago, beyond the number, or beyond the size go, the oldest first. */
export interface Retention {
  readonly days: number;
  readonly count: number;
  readonly bytes: number;
}

export interface Operations {
  /** Queued until somebody begins it. */
  submit(operation: NewOperation): Promise<void>;
  /** One that this process runs from now on; it may be queued already. @throws FleetError `OPERATION_STATE` */
  begin(operation: NewOperation): Promise<void>;
  /**
   * The oldest queued one whose time has come, of a stack on which nothing is under way; it is this process's then.
   * @returns undefined when there is none
   */
  claim(stacks?: readonly string[]): Promise<StoredOperation | undefined>;
  /** From one state to the next. @throws FleetError `OPERATION_STATE` when that does not follow, `OPERATION_UNKNOWN` */
  become(
    id: string,
    state: StoredState,
    end?: { readonly exit?: number; readonly cause?: Cause },
  ): Promise<void>;
  /** A queued one is cancelled at once. @throws FleetError `OPERATION_ENDED`, `OPERATION_UNKNOWN` */
  cancel(id: string, actor: string, letsEnd?: readonly string[]): Promise<StoredState>;
  /** As it is: `interrupted` where its process is seen dead, though nobody wrote that yet. */
  find(id: string): Promise<StoredOperation | undefined>;
  /** Newest first. */
  page(question?: PageQuestion): Promise<StoredOperation[]>;
  /** Writes `interrupted` where the process is dead. @returns what was written so now */
  sweep(): Promise<StoredOperation[]>;
  /** All or none. @returns number of the last one */
  append(id: string, events: readonly NewEvent[]): Promise<number>;
  events(id: string, after?: number, limit?: number): Promise<StoredEvent[]>;
  /** Of each operation what a list tells of it: plan, waves, end. */
  outlines(ids: readonly string[]): Promise<ReadonlyMap<string, readonly StoredEvent[]>>;
  /** What became of the clients, by operation. */
  clients(ids: readonly string[]): Promise<ReadonlyMap<string, readonly ClientOutcome[]>>;
  /** What has not ended stays. @returns ids of what was removed */
  prune(stack: string, retention: Retention): Promise<string[]>;
}

const dayMilliseconds = 86_400_000;

/** Ids of those that are kept no longer. `ended`: newest first; `now`: milliseconds since 1970. */
export function overRetention(
  ended: readonly { readonly id: string; readonly ended: number | null; readonly bytes: number }[],
  { days, count, bytes }: Retention,
  now: number,
): string[] {
  let total = 0;
  return ended.flatMap((each, index) => {
    total += each.bytes;
    const isOld = each.ended !== null && now - each.ended > days * dayMilliseconds;
    return isOld || index >= count || total > bytes ? [each.id] : [];
  });
}
