/** @module Faults that tests make on purpose, by method and path. */
import { ApiError } from "./api.ts";

export type FaultKind =
  /** An answer with that status instead of the effect. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly message?: string;
      /** Instead of the body that OVH gives with that status. */
      readonly body?: Readonly<Record<string, unknown>>;
    }
  /** 429 for what goes beyond so many requests in any second. */
  | { readonly kind: "rateLimit"; readonly perSecond: number }
  /** The connection is cut, before or after the effect. */
  | { readonly kind: "dropBefore" }
  | { readonly kind: "dropAfterEffect" }
  /** No answer at all, and no effect. */
  | { readonly kind: "hang" }
  /** A record is made and its id comes as 0. */
  | { readonly kind: "idZero" }
  /** Of a checkout or a payment: the order is `delivering` for ever, until `releaseOrders`. */
  | { readonly kind: "orderStuck" }
  /** Of a checkout or a payment: the order waits for a person at OVH, until `releaseOrders`. */
  | { readonly kind: "documentsRequested" }
  /** Of a checkout or a payment: OVH cancels the order. */
  | { readonly kind: "orderCancelled" }
  /** Of a rebuild, a reboot, a new netboot mode: its task takes so much longer. */
  | { readonly kind: "slowTask"; readonly milliseconds: number }
  /** Of a rebuild, a reboot, a new netboot mode: its task ends as `error`. */
  | { readonly kind: "taskFails" };

export interface Fault {
  /** `*` for any. */
  readonly method: string;
  /** Of the path below the base; `*` stands for one part, as in `/vps/*`, and `**` for any number of them. */
  readonly path: string;
  readonly fault: FaultKind;
  /** How often; for ever by default. */
  times?: number;
  /** How many matching requests go through before. @default 0 */
  after?: number;
}

export class Faults {
  readonly #rules: { readonly rule: Fault; recent: number[] }[] = [];

  add(fault: Fault): void {
    this.#rules.push({ rule: { ...fault }, recent: [] });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** The fault of a request, counted down. */
  take(method: string, path: string, now: number): FaultKind | undefined {
    for (const each of this.#rules) {
      const { rule } = each;
      if (rule.times === 0 || (rule.method !== "*" && rule.method !== method) || !covers(rule.path, path))
        continue;
      if ((rule.after ?? 0) > 0) {
        rule.after = (rule.after ?? 0) - 1;
        continue;
      }
      if (rule.fault.kind === "rateLimit") {
        each.recent = each.recent.filter((time) => time > now - 1000);
        each.recent.push(now);
        if (each.recent.length <= rule.fault.perSecond) continue;
        each.recent.pop();
      }
      if (rule.times !== undefined) rule.times -= 1;
      return rule.fault;
    }
    return undefined;
  }
}

/** The error that a fault answers instead of the effect, if it does. */
export function answerOf(fault: FaultKind | undefined): ApiError | undefined {
  if (fault?.kind === "rateLimit") return trouble(429);
  if (fault?.kind !== "status") return undefined;
  const { status, body, message } = fault;
  return body ? new ApiError(status, body) : trouble(status, message);
}

function trouble(status: number, message?: string): ApiError {
  const [name, text] = troubles[status] ?? ["Server::Error", "Error"];
  return new ApiError(status, { ...(name === null ? {} : { class: name }), message: message ?? text });
}

const troubles: Readonly<Record<number, readonly [name: string | null, text: string]>> = {
  400: ["Client::BadRequest", "Bad request"],
  401: [null, "You must login first"],
  403: ["Client::Forbidden", "You are not allowed to call this route"],
  404: ["Client::NotFound", "Got an invalid (or empty) URL"],
  408: ["Client::RequestTimeout", "Request timeout"],
  409: ["Client::Conflict", "Conflict"],
  429: ["Client::TooManyRequests", "Too many requests"],
  460: [null, "This service is expired"],
  500: ["Server::InternalServerError", "Internal server error"],
  502: ["Server::BadGateway", "Bad gateway"],
  503: ["Server::ServiceUnavailable", "Service unavailable"],
};

function covers(pattern: string, path: string): boolean {
  const words = pattern.split(/(\*+)/).map((text) => {
    if (text === "**") return ".*";
    return text === "*" ? "[^/]*" : text.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&");
  });
  return new RegExp(`^${words.join("")}$`).test(path);
}
