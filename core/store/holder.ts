/**
 * @module Who holds something in the store, and whether it still lives: a process, told by its machine, that machine's boot,
 * its number and the moment of its start. Names of hosts tell nothing: they change, and containers share them.
 */

export interface Identity {
  /** Of /etc/machine-id, or one that was drawn for the operator's home. */
  readonly machine: string;
  /** Drawn by the kernel at each boot. */
  readonly boot: string;
  /** Of process numbers: a container has its own. */
  readonly namespace: string;
  readonly pid: number;
  /** Clock ticks from the boot to the process's start. */
  readonly started: string;
}

export interface Holder extends Identity {
  /** Drawn by the process for itself. */
  readonly id: string;
  /** Counts up while it lives. */
  readonly beat: number;
  /** Milliseconds since its last beat, by the store's clock. */
  readonly silent: number;
}

/** A process tells every so many milliseconds that it lives. */
export const beatMilliseconds = 5_000;

/** A process that told nothing for so long is dead, wherever it is. */
export const silenceMilliseconds = 20_000;

/**
 * What a process can tell of another by its own machine; `undefined` where only the other's beats tell.
 * `startOf`: when the process of a number was started, `undefined` without one.
 */
export function isSeenAlive(
  own: Identity,
  other: Identity,
  isOneMachine: boolean,
  startOf: (pid: number) => string | undefined,
): boolean | undefined {
  if (other.machine !== own.machine) return undefined;
  // Copies of one machine have one id and boots of their own.
  if (other.boot !== own.boot) return isOneMachine ? false : undefined;
  if (other.namespace !== own.namespace) return undefined;
  return startOf(other.pid) === other.started;
}

/**
 * Tells the dead by what this process itself has seen: a count that does not go up while its own clock, which nobody sets,
 * does. `monotonic`: milliseconds.
 */
export function silenceWatch(monotonic: () => number): (holder: Pick<Holder, "id" | "beat">) => boolean {
  const seen = new Map<string, { readonly beat: number; readonly since: number }>();
  return ({ id, beat }) => {
    const last = seen.get(id);
    const now = monotonic();
    if (last?.beat === beat) return now - last.since >= silenceMilliseconds;
    seen.set(id, { beat, since: now });
    return false;
  };
}
