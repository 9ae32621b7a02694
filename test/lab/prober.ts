/**
 * @module Asks a town again and again as its public does, half over new connections and half over kept ones, without a
 * second try, and tells what failed and for how long.
 */
import { Agent, request } from "node:https";
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
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
}

export interface Route {
  readonly path: string;
  /** Sent as JSON by POST, which must be answered by 201; without it GET and 200. */
  readonly post?: unknown;
  /** @default 20, or a share of what the suite allows under /api to one address */
  readonly perSecond?: number;
}

interface Answer {
  /** Milliseconds since the start. */
  readonly at: number;
  readonly status: number;
  /** What was wrong; absent for a good answer. */
  readonly reason?: string;
}

type Asked = Pick<TestTown, "domain"> & { readonly server: { readonly reach: string } };

const perSecond = 20;
/** The suite limits one address to 30 a second there, and all of ours come from one. */
const apiPerSecond = 24;
const shownReasons = 5;
const timeoutMilliseconds = 10_000;

/**
 * Begins at once. `stop` tells what was seen, by path (and ` POST`). A good answer: 200, or 201 to a POST, and healthy
 * where it is the health.
 */
export function watchTown(town: Asked, routes: readonly (string | Route)[]) {
  const wanted = routes.map((route) => (typeof route === "string" ? { path: route } : route));
  const limited = wanted.filter((route) => isLimited(route) && route.perSecond === undefined).length;
  const reserved = wanted.reduce((sum, route) => sum + (isLimited(route) ? (route.perSecond ?? 0) : 0), 0);
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const start = performance.now();
  let isOn = true;
  const lanes = wanted.map(async (route, index) => {
    const rate =
      route.perSecond ??
      (isLimited(route) ? Math.min(perSecond, (apiPerSecond - reserved) / limited) : perSecond);
    const asked: Promise<Answer>[] = [];
    // One after the other, as a public does, not all at the same moment.
    const first = start + (index / wanted.length) * (1000 / rate);
    for (let number = 0; isOn; number += 1) {
      asked.push(ask(town, route, number % 2 === 0 ? agent : false, start));
      // By the clock, so that a late tick is made up for.
      const next = first + ((number + 1) * 1000) / rate - performance.now();
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next)));
    }
    const name = route.post === undefined ? route.path : `${route.path} POST`;
    return [name, outage(await Promise.all(asked))] as const;
  });
  return {
    async stop(): Promise<Record<string, Outage>> {
      isOn = false;
      const seen = Object.fromEntries(await Promise.all(lanes));
      agent.destroy();
      return seen;
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

function isLimited({ path }: Route): boolean {
  return path.startsWith("/api");
}

function ask(town: Asked, { path, post }: Route, agent: Agent | false, start: number): Promise<Answer> {
  const at = performance.now() - start;
  const body = post === undefined ? undefined : JSON.stringify(post);
  return new Promise((resolve) => {
    const asked = request({
      host: town.server.reach,
      servername: town.domain,
      port: 443,
      path,
      agent,
      method: body === undefined ? "GET" : "POST",
      headers: {
        host: town.domain,
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      },
      timeout: timeoutMilliseconds,
    });
    const failed = (reason: string, status = 0) => {
      const kind = agent === false ? "new" : "kept";
      resolve({ at, status, reason: `${(at / 1000).toFixed(2)} s, ${kind} connection: ${reason}` });
    };
    asked.on("timeout", () => asked.destroy(new Error("no answer within 10 s")));
    asked.on("error", (error: NodeJS.ErrnoException) => failed(error.code ?? error.message));
    asked.on("response", (response) => {
      let text = "";
      const status = response.statusCode ?? 0;
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("error", (error) => failed(`${status}, then ${error.message}`));
      response.on("end", () => {
        const isExpected = status === (body === undefined ? 200 : 201);
        if (status === 429) resolve({ at, status });
        else if (!isExpected) failed(`HTTP ${status}: ${text.slice(0, 80).replaceAll(/\s+/g, " ")}`, status);
        else if (path.endsWith("/api/health") && !text.includes('"status":"healthy"'))
          failed(`not healthy: ${text.slice(0, 200)}`, status);
        else resolve({ at, status });
      });
    });
    asked.end(body);
  });
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
    statuses,
  };
}
