/** @module What every part of the emulator shares: its state, its clock, and what it does to the lab. */
import { setImmediate as soon } from "node:timers/promises";
import type { State } from "./state.ts";

/** How long things take, in milliseconds. */
export interface Clock {
  readonly check: number;
  readonly deliver: number;
  /** The delivery's own task, which blocks a rebuild. */
  readonly deliverTask: number;
  /** How long that task is not yet listed. */
  readonly taskHidden: number;
  /** How long a task is `todo`. */
  readonly begin: number;
  readonly rebuild: number;
  readonly reboot: number;
  readonly mail: number;
}

export const labClock: Clock = {
  check: 2_000,
  deliver: 6_000,
  deliverTask: 8_000,
  taskHidden: 3_000,
  begin: 500,
  rebuild: 3_000,
  reboot: 2_000,
  mail: 2_000,
};

/** For tests that wait for real: every state is seen, none lasts. */
export const quickClock: Clock = {
  check: 20,
  deliver: 30,
  deliverTask: 60,
  taskHidden: 20,
  begin: 5,
  rebuild: 40,
  reboot: 20,
  mail: 20,
};

/** What the emulated OVH does in the lab; in a test, nothing. After a crash it may be asked for the same thing again. */
export interface Hooks {
  /** A new machine. `number`: 10 for the first, never used before. @returns its addresses */
  deliver(vps: { serviceName: string; os: string; number: number }): Promise<string[]>;
  /** The same machine with its addresses, empty, with another system and this key in the image's default user. */
  rebuild(vps: {
    serviceName: string;
    ips: readonly string[];
    os: string;
    publicSshKey: string | null;
  }): Promise<void>;
  power(serviceName: string, action: "reboot" | "start" | "stop"): Promise<void>;
  terminate(serviceName: string): Promise<void>;
  /** `addresses` by full name, of the A and AAAA records of a zone; `gone`: names that have none any more. */
  publish(
    zone: string,
    addresses: ReadonlyMap<string, readonly string[]>,
    gone: readonly string[],
  ): Promise<void>;
}

export type Report = (what: string, error: unknown) => void;

export interface World {
  readonly state: State;
  readonly clock: Clock;
  readonly hooks: Hooks;
  readonly rules: Rules;
  readonly jobs: Jobs;
  /** Where the lab's failures go. */
  readonly report: Report;
  /** Milliseconds since 1970. */
  now(): number;
  newId(): number;
}

/** Where OVH's own behaviour is uncertain or differs by region. */
export interface Rules {
  /** The American API: other names of services, order details by their operations. @default false */
  readonly isUs: boolean;
  /** An alias beside other records of its name is refused, not only reported. @default false */
  readonly strictCname: boolean;
  /** What a terminated service answers: 460 or 404. @default expired */
  readonly terminated: "expired" | "gone";
  /** A task that has ended is not there any more. @default false */
  readonly forgetsTasks: boolean;
}

export const usualRules: Rules = {
  ...{ isUs: false, strictCname: false, terminated: "expired", forgetsTasks: false },
};

/** Hooks of a world without machines: every VPS gets addresses of its own. */
export function noHooks(): Hooks {
  return {
    deliver: async ({ number }) => [`2001:41d0:305:2100::${number}`, `203.0.113.${number}`],
    rebuild: async () => {},
    power: async () => {},
    terminate: async () => {},
    publish: async () => {},
  };
}

const retryAfter = 5_000;

/** Work in the lab, which takes the time it takes while the API goes on answering. */
export class Jobs {
  readonly #running = new Map<string, Promise<void>>();
  readonly #failed = new Map<string, number>();
  readonly #now: () => number;
  readonly #report: Report;

  constructor(now: () => number, report: Report) {
    this.#now = now;
    this.#report = report;
  }

  /** Does `work` unless it is being done under that name, or has just failed. */
  start(name: string, work: () => Promise<void>): void {
    if (this.#running.has(name) || (this.#failed.get(name) ?? 0) > this.#now() - retryAfter) return;
    const job = work()
      .catch((error: unknown) => {
        this.#report(name, error);
        this.#failed.set(name, this.#now());
      })
      .finally(() => this.#running.delete(name));
    this.#running.set(name, job);
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /** When what takes no time has ended. */
  async settle(): Promise<void> {
    if (this.#running.size > 0) await Promise.race([this.end(), soon()]);
  }

  /** When all has ended. */
  async end(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}
