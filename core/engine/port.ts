/** @module The engine as operations see it: what a run would touch, and what it did, by client. Types only. */

/** A resource that is, or would be, worked on. */
export interface ResourceChange {
  /** The client that it belongs to; absent for what is the fleet's. */
  readonly client?: string;
  /** Its step: `delivery`, `activation`, `secrets` …; its logical name where it belongs to no client. */
  readonly step: string;
  /** As the engine names it: create, update, replace, delete … */
  readonly operation: string;
}

export interface ResourceFailure {
  readonly client?: string;
  readonly step: string;
  /** Code of the failure, where the message tells one, e.g. `UNHEALTHY`. */
  readonly code?: string;
  /** One line in the reader's language. */
  readonly message: string;
}

export interface EngineRun {
  readonly changes: readonly ResourceChange[];
  /** What is as it is declared after the run: what ended well, and what was so before. */
  readonly done: readonly ResourceChange[];
  readonly failures: readonly ResourceFailure[];
}

export interface EngineListener {
  onStep?(client: string, step: string): void;
  onStepEnd?(client: string, step: string, ok: boolean): void;
  onLine?(text: string, client?: string): void;
}

export interface UpOptions extends EngineListener {
  /** Resources that are worked on at once. */
  readonly parallel?: number;
  /** Steps look at what is there anew, also where they left it right before; see `repairVariable`. */
  readonly isRepair?: boolean;
  /** Path whose existence tells steps to end; see `cancelVariable`. */
  readonly cancelFile?: string;
}

/** Pulumi's engine on one stack. */
export interface Engine {
  /** @throws FleetError `ENGINE_FAILED` when the program itself fails, `STACK_LOCKED` */
  preview(): Promise<readonly ResourceChange[]>;
  /**
   * Converges the stack; one client's failure leaves the others to go on, and is told, not thrown.
   * @throws FleetError `ENGINE_FAILED` when the program itself fails, `STACK_LOCKED`
   */
  up(options: UpOptions): Promise<EngineRun>;
  /** Lets the next `up` run every command of these clients again, as after a first contact; secrets and records stay. */
  redo(clients: readonly string[]): Promise<void>;
  /** Waits while another run holds the stack's state. @throws FleetError `STACK_LOCKED` after a quarter of an hour */
  idle(onWait: (holder: string) => void): Promise<void>;
  /** Release by client of the last activation that succeeded, from the state. */
  activated(): Promise<ReadonlyMap<string, string>>;
}
