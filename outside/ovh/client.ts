/** @module OVH's API: signed, paced over all processes of this machine, repeated where that does no harm. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { parse as parseWith } from "../../core/config/parse.ts";
import { FleetError } from "../../core/errors.ts";
import type { Ovh, OvhRequest, Right } from "../../core/ovh/port.ts";
import {
  backOff,
  mayPass,
  missingRights,
  pace,
  refusal,
  signature,
  tokenUrl,
} from "../../core/ovh/request.ts";
import type { Pace } from "../../core/store/port.ts";
import { writeFileAtomically } from "../atomic-file.ts";
import { withFileLock } from "../file-lock.ts";
import { home } from "../home.ts";
import { type Credentials, readCredentials } from "./credentials.ts";

export interface OvhOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Folder of the operator's state. */
  readonly state?: string;
  /** Milliseconds. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
  /** How long trouble that may pass is borne, in milliseconds. @default two minutes */
  readonly patience?: number;
  /** Where requests are counted. @default a file of `state` */
  readonly pace?: Pace;
}

/** OVH's people ask to stay below some 60 requests a minute (ovh/python-ovh#81). */
const defaultBudget = 60;
const timeoutMilliseconds = 60_000;

const Credential = z.object({
  rules: z.array(z.object({ method: z.string(), path: z.string() })).nullish(),
});

/** @throws FleetError `OVH_CREDENTIALS` */
export async function openOvh(options: OvhOptions = {}): Promise<Ovh> {
  const { env = process.env, state = home().state, wait = sleep, patience = 120_000 } = options;
  const credentials = await readCredentials(env);
  const budget = readBudget(env.GEOCLIC_OVH_BUDGET);
  const paceFile = join(state, "ovh", "pace.json");
  let clockDifference: Promise<number> | undefined;

  return {
    get: (path, request) => send("GET", path, { idempotent: true, ...request }),
    post: (path, request) => send("POST", path, request),
    put: (path, request) => send("PUT", path, request),
    delete: (path, request) => send("DELETE", path, request),
    time: async () => {
      clockDifference ??= askClock();
      return Math.floor(Date.now() / 1000) + (await clockDifference);
    },
    checkRights,
  };

  async function send<T>(method: string, path: string, request: OvhRequest<T> = {}): Promise<T> {
    const end = Date.now() + patience;
    for (let attempt = 1; ; attempt += 1) {
      const { answer, error } = await once(method, path, request).then(
        (value) => ({ answer: value, error: undefined }),
        (thrown: unknown) => ({ answer: undefined, error: thrown }),
      );
      if (answer?.ok) return understood(method, path, request, answer.text);
      const status = answer?.status ?? 0;
      const pause = backOff(attempt, answer?.retryAfter ?? null, Math.random());
      if (!request.idempotent || !(error !== undefined || mayPass(status)) || Date.now() + pause > end)
        throw answer ? refused(method, path, answer) : unreachable(method, path, error);
      await wait(pause);
    }
  }

  async function once<T>(method: string, path: string, { body }: OvhRequest<T>) {
    const url = credentials.endpoint + path;
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = {
      accept: "application/json",
      ...(text === "" ? {} : { "content-type": "application/json;charset=utf-8" }),
      ...(await authorization(credentials, method, url, text)),
    };
    return exchange(method, url, headers, text);
  }

  async function exchange(method: string, url: string, headers: Record<string, string>, text: string) {
    await takeTurn();
    const answer = await fetch(url, {
      method,
      headers: { "user-agent": "geoclic-fleet", ...headers },
      signal: AbortSignal.timeout(timeoutMilliseconds),
      ...(text === "" ? {} : { body: text }),
    });
    const said = await answer.text();
    return {
      ok: answer.ok,
      status: answer.status,
      text: said,
      query: answer.headers.get("x-ovh-queryid") ?? "-",
      retryAfter: answer.headers.get("retry-after"),
    };
  }

  async function authorization(given: Credentials, method: string, url: string, body: string) {
    if ("accessToken" in given) return { authorization: `Bearer ${given.accessToken}` };
    clockDifference ??= askClock();
    const timestamp = Math.floor(Date.now() / 1000) + (await clockDifference);
    return {
      "X-Ovh-Application": given.keys.applicationKey,
      "X-Ovh-Consumer": given.keys.consumerKey,
      "X-Ovh-Timestamp": String(timestamp),
      "X-Ovh-Signature": signature(given.keys, { method, url, body, timestamp }),
    };
  }

  /** Seconds by which the server is ahead. Without an answer this machine's clock is as good as any. */
  async function askClock(): Promise<number> {
    const answer = await exchange("GET", `${credentials.endpoint}/auth/time`, {}, "").catch(() => undefined);
    const seconds = answer?.ok ? Number(answer.text) : Number.NaN;
    if (Number.isFinite(seconds)) return seconds - Math.floor(Date.now() / 1000);
    clockDifference = undefined;
    return 0;
  }

  async function takeTurn(): Promise<void> {
    if (options.pace) {
      const left = await options.pace.book("ovh", budget);
      if (left > 0) await wait(left);
      return;
    }
    const at = await withFileLock(paceFile, async (held) => {
      const next = pace(times(await readFile(paceFile, "utf8").catch(() => "[]")), Date.now(), budget);
      await held();
      await writeFileAtomically(paceFile, JSON.stringify(next.sent));
      return next.at;
    });
    const pause = at - Date.now();
    if (pause > 0) await wait(pause);
  }

  async function checkRights(needed: readonly Right[]): Promise<void> {
    // A token tells no rules; what it may not do shows at the first request.
    if ("accessToken" in credentials) return;
    const { rules } = await send("GET", "/auth/currentCredential", { idempotent: true, schema: Credential });
    const missing = missingRights(needed, rules ?? []);
    if (missing.length === 0) return;
    throw new FleetError("OVH_RIGHTS", {
      missing: missing.map(({ method, path }) => `${method} ${path}`).join(", "),
      url: tokenUrl(needed),
    });
  }
}

function understood<T>(method: string, path: string, { schema }: OvhRequest<T>, text: string): T {
  if (!schema) return undefined as T;
  const unexpected = (problems: string) => new FleetError("OVH_UNEXPECTED", { method, path, problems });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unexpected("it is not JSON");
  }
  const parsed = parseWith(schema, value);
  if (parsed.ok) return parsed.value;
  throw unexpected(parsed.problems);
}

function refused(
  method: string,
  path: string,
  answer: { status: number; text: string; query: string },
): FleetError {
  const { status, text, query } = answer;
  return new FleetError("OVH_REFUSED", { method, path, status, query, cause: refusal(text) });
}

function unreachable(method: string, path: string, error: unknown): FleetError {
  if (error instanceof FleetError) return error;
  const { message, cause } = error as Error;
  return new FleetError("OVH_UNREACHABLE", {
    method,
    path,
    cause: cause instanceof Error ? `${message}: ${cause.message}` : message,
  });
}

function readBudget(text: string | undefined): number {
  if (text === undefined || text === "") return defaultBudget;
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new FleetError("OVH_CREDENTIALS", {
    cause: `GEOCLIC_OVH_BUDGET is ${JSON.stringify(text)}, expected requests a minute from 1 to 9999`,
  });
}

/** What cannot be read is forgotten: at worst a minute's budget is spent twice. */
function times(text: string): number[] {
  try {
    return z.array(z.number()).parse(JSON.parse(text));
  } catch {
    return [];
  }
}
