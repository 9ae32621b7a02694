/** @module What an operation needs of the outside world: types only. */
import type { OperationEvent, OperationView, Told } from "./journal.ts";

/** Journals of a stack's operations, one file each, written by the process that runs it and read by any. */
export interface OperationJournals {
  /** A new journal. What is told is in its file when `tell` returns. */
  create(id: string): OperationWriter;
  /** Newest first. */
  list(): Promise<OperationView[]>;
  find(id: string): Promise<OperationView | undefined>;
  events(id: string): Promise<OperationEvent[]>;
  /** Every event from the first on, as they come, until the end of the operation or of its process. */
  follow(id: string, signal?: AbortSignal): AsyncIterable<OperationEvent>;
  /** Asks the process that runs it to end; another process may. */
  cancel(id: string): Promise<void>;
}

export interface OperationWriter {
  tell(event: Told): void;
  /** Path whose existence says that the operation is cancelled. */
  readonly cancelFile: string;
}

export interface Ticket {
  /** Ends the turn; the next in line begins. */
  release(): Promise<void>;
}

export interface Holder {
  /** The operation that holds the stack, e.g. `update 20261123T131500-0a1b`. */
  readonly what: string;
  readonly pid: number;
  readonly host: string;
  readonly actor: string;
  readonly since: string;
}

/** One operation at a time on a stack, in the order of their arrival. */
export interface OperationQueue {
  /**
   * Waits for the turn. A holder whose process died loses it.
   * @throws FleetError `OPERATION_LOCKED` when it would have to wait and must not, `CANCELLED` by the signal
   */
  enter(
    what: string,
    actor: string,
    options: {
      readonly wait: boolean;
      readonly signal: AbortSignal;
      readonly onWait: (holder: Holder) => void;
      readonly onDead: (holder: Holder) => void;
    },
  ): Promise<Ticket>;
}
