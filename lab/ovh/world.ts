/** @module What every part of the emulator shares: its state, its clock, and what it does to the lab. */
import type { State, Vps } from "./state.ts";

/** How long things take, in milliseconds. */
export interface Clock {
  readonly check: number;
  readonly deliver: number;
  /** The delivery's own task, which blocks a rebuild. */
  readonly deliverTask: number;
  /** How long that task is not yet listed. */
  readonly taskHidden: number;
  readonly rebuild: number;
  readonly reboot: number;
  readonly mail: number;
}

export const labClock: Clock = {
  check: 2_000,
  deliver: 6_000,
  deliverTask: 8_000,
  taskHidden: 3_000,
  rebuild: 3_000,
  reboot: 2_000,
  mail: 2_000,
};

/** What the emulated OVH does in the lab; in a test, nothing. */
export interface Hooks {
  /** A new machine. @returns its addresses */
  deliver(vps: { serviceName: string; displayName: string; os: string }): Promise<string[]>;
  /** The same machine, empty, with another system and this key in the image's default user. */
  rebuild(vps: { serviceName: string; os: string; publicSshKey: string | null }): Promise<void>;
  power(serviceName: string, action: "reboot" | "start" | "stop"): Promise<void>;
  terminate(serviceName: string): Promise<void>;
  /** `addresses` by full name, of the A records of a zone; `gone`: names that it no longer has. */
  publish(
    zone: string,
    addresses: ReadonlyMap<string, readonly string[]>,
    gone: readonly string[],
  ): Promise<void>;
}

export interface World {
  readonly state: State;
  readonly clock: Clock;
  readonly hooks: Hooks;
  /** Milliseconds since 1970. */
  now(): number;
  newId(): number;
}

/** Hooks of a world without machines: every VPS gets an address of its own. */
export function noHooks(): Hooks {
  let last = 9;
  return {
    deliver: async () => {
      last += 1;
      return ["2001:41d0:305:2100::1234", `203.0.113.${last}`];
    },
    rebuild: async () => {},
    power: async () => {},
    terminate: async () => {},
    publish: async () => {},
  };
}

export function isBusy(vps: Vps, now: number): boolean {
  return vps.tasks.some((task) => task.until > now);
}
