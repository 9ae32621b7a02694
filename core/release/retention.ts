/**
 * @module Which releases the operator's machine keeps. One that goes is made again from the suite's checkout, but not by
 * another machine's name for it: what a town runs, or may go back to, stays whatever its age.
 */
import type { OperationView } from "../operation/journal.ts";

/** Kept whether anybody names them or not. */
const newest = 10;
/** Since its last use: a stack file in another folder may name one that is in use, and nobody here can look there. */
const unusedDays = 14;
/** What a run that was killed has left half made. */
const partialDays = 1;
const day = 86_400_000;

export interface HeldRelease {
  readonly id: string;
  /** When it was last made, read or delivered, milliseconds since 1970. */
  readonly lastUse: number;
}

/** What was not used since may go, milliseconds since 1970. */
export function unusedBefore(now: number): number {
  return now - unusedDays * day;
}

/** What is half made since before then was given up, milliseconds since 1970. */
export function abandonedBefore(now: number): number {
  return now - partialDays * day;
}

/** Of the releases that are held, those that may go: named nowhere, not among the newest, not used for a fortnight. */
export function superfluous(
  held: readonly HeldRelease[],
  named: ReadonlySet<string>,
  now: number,
): readonly string[] {
  return held
    .toSorted((a, b) => b.lastUse - a.lastUse)
    .slice(newest)
    .filter(({ id, lastUse }) => !named.has(id) && lastUse < unusedBefore(now))
    .map(({ id }) => id);
}

/**
 * Releases that the journals of one stack name: the targets of what has not ended well, which may be gone on with, and of each
 * town the last two that differ: what it runs, and its way back.
 */
export function namedByOperations(operations: readonly OperationView[]): ReadonlySet<string> {
  const named = new Set<string>();
  const towns = new Map<string, Set<string>>();
  for (const { state, targets, clients } of operations.toSorted((a, b) => b.began - a.began)) {
    if (state !== "succeeded") for (const release of Object.values(targets)) named.add(release);
    for (const { client, outcome, release } of clients) {
      const ran = release ?? (outcome === "done" || outcome === "unchanged" ? targets[client] : undefined);
      const known = towns.get(client) ?? new Set();
      towns.set(client, known);
      if (ran !== undefined && known.size < 2) known.add(ran);
    }
  }
  return new Set([...named, ...[...towns.values()].flatMap((known) => [...known])]);
}

/** Releases that a stack file pins, by its text: one that is broken today must not cost a town its release. */
export function pinsIn(text: string): readonly string[] {
  return [...text.matchAll(/\brelease["']?\s*:\s*["']?([0-9a-f]{12})\b/g)].map(([, id]) => id ?? "");
}
