/**
 * @module Asks a town again and again as its public does, half over new connections and half over kept ones, without a
 * second try, and tells what failed and for how long.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { setPriority } from "node:os";
import { join } from "node:path";
import type { TestTown } from "./town.ts";

export interface Outage {
  readonly requests: number;
  readonly failed: number;
  /** Answers 429 of the suite's own limit: neither good nor failed. */
  readonly limited: number;
  /** From the start of the first request that failed to the start of the next good one, the longest of them. */
  readonly longestSeconds: number;
  /** The first failures: seconds since the start, kind of connection, what was wrong. */
  readonly reasons: readonly string[];
  /** What was wrong where no answer came at all. */
  readonly cuts: readonly string[];
  /** Answers by status; 0: none. */
  readonly statuses: Readonly<Record<number, number>>;
}

export interface Route {
  readonly path: string;
  /** Sent as JSON by POST, which must be answered by 201; without it GET and 200. */
  readonly post?: unknown;
  /** @default 20, or a share of what the suite allows under /api to one address */
  readonly perSecond?: number;
}

export interface Answer {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly status: number;
  /** What was wrong; absent for a good answer. */
  readonly reason?: string;
}

type Asked = Pick<TestTown, "domain"> & { readonly server: { readonly reach: string } };

const shownReasons = 5;

/**
 * Begins at once, in a process of its own: what the test does must not keep it waiting. `stop` tells what was seen, by path
 * (and ` POST`). A good answer: 200, or 201 to a POST, and healthy where it is the health.
 */
export function watchTown(town: Asked, routes: readonly (string | Route)[]) {
  const wanted = routes.map((route) => (typeof route === "string" ? { path: route } : route));
  const { domain, server } = town;
  const given = JSON.stringify({ domain, reach: server.reach, routes: wanted });
  const asker = fork(join(import.meta.dirname, "asker.ts"), [given], { execArgv: [] });
  // Before others of this machine: a public has its own.
  setPriority(asker.pid ?? 0, -10);
  return {
    async stop(): Promise<Record<string, Outage>> {
      const answered = once(asker, "message") as Promise<[Record<string, Answer[]>]>;
      asker.send("stop");
      const [answers] = await answered;
      return Object.fromEntries(Object.entries(answers).map(([name, each]) => [name, outage(each)]));
    },
  };
}

/** All routes together. */
export function total(seen: Readonly<Record<string, Outage>>): Pick<
  Outage,
  "requests" | "failed" | "limited"
> & {
  readonly longestSeconds: number;
  readonly reasons: readonly string[];
} {
  const all = Object.entries(seen);
  const sum = (key: "requests" | "failed" | "limited") =>
    all.reduce((count, [, each]) => count + each[key], 0);
  return {
    requests: sum("requests"),
    failed: sum("failed"),
    limited: sum("limited"),
    longestSeconds: Math.max(0, ...all.map(([, each]) => each.longestSeconds)),
    reasons: all
      .flatMap(([path, { reasons }]) => reasons.map((reason) => `${path}: ${reason}`))
      .slice(0, 2 * shownReasons),
  };
}

function outage(answers: readonly Answer[]): Outage {
  let since: number | undefined;
  let longest = 0;
  for (const { at, reason } of answers) {
    if (reason === undefined && since !== undefined) {
      longest = Math.max(longest, at - since);
      since = undefined;
    } else if (reason !== undefined) since ??= at;
  }
  const end = answers.at(-1)?.at ?? 0;
  if (since !== undefined) longest = Math.max(longest, end - since);
  const reasons = answers.flatMap(({ reason }) => (reason === undefined ? [] : [reason]));
  const statuses: Record<number, number> = {};
  for (const { status } of answers) statuses[status] = (statuses[status] ?? 0) + 1;
  return {
    requests: answers.length,
    failed: reasons.length,
    limited: statuses[429] ?? 0,
    longestSeconds: Math.round(longest / 100) / 10,
    reasons: reasons.slice(0, shownReasons),
    cuts: answers.flatMap(({ status, reason }) => (status === 0 && reason !== undefined ? [reason] : [])),
    statuses,
  };
}
