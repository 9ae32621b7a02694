/** @module A limit on how many things begin in a second; how long each one takes holds nobody up. */
import { setTimeout } from "node:timers/promises";

export interface Clock {
  /** Milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

/** @returns what waits for its turn: `burst` come at once, then `perSecond` a second */
export function pace(
  { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  clock: Clock = { now: Date.now, sleep: setTimeout },
): () => Promise<void> {
  const interval = 1000 / perSecond;
  let next = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = clock.now();
    const turn = Math.max(next, now - (burst - 1) * interval);
    next = turn + interval;
    if (turn > now) await clock.sleep(turn - now);
  };
}
