/** @module The frame of the emulated API: routes, answers and errors in OVH's shape. */
import { createHash, randomBytes } from "node:crypto";
import type { FaultKind } from "./faults.ts";

export interface Call {
  readonly method: string;
  /** Path below the base, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parts of the path that the route names. */
  readonly part: Readonly<Record<string, string>>;
  /** Parsed body; an empty object when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** A fault that the route itself makes. */
  readonly fault: FaultKind | undefined;
}

export type Handler = (call: Call) => unknown;

export interface Route {
  readonly method: string;
  readonly pattern: string;
  /** Without credentials. */
  readonly isPublic: boolean;
  readonly handle: Handler;
}

/** A route for those who have credentials. */
export function route(method: string, pattern: string, handle: Handler): Route {
  return { method, pattern, isPublic: false, handle };
}

/** A route for everybody. */
export function publicRoute(method: string, pattern: string, handle: Handler): Route {
  return { method, pattern, isPublic: true, handle };
}

/** An answer that is not 200. `body` as OVH words it. */
export class ApiError extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(String(body.message));
    this.status = status;
    this.body = body;
  }
}

export const notFound = (message: string) => new ApiError(404, { class: "Client::NotFound", message });
export const badRequest = (message: string) => new ApiError(400, { class: "Client::BadRequest", message });
export const conflict = (message: string) => new ApiError(409, { class: "Client::Conflict", message });
export const expired = () => new ApiError(460, { message: "This service is expired" });
export const unknownUrl = () => notFound("Got an invalid (or empty) URL");
export const unknownService = () => notFound("This service does not exist");
export const unknownObject = (name: string, value: unknown) =>
  notFound(`The requested object (${name} = ${value}) does not exist`);

/** The older family of errors, that of credentials. */
export function refused(status: number, errorCode: string, message: string): ApiError {
  const text = { 400: "Bad Request", 403: "Forbidden" }[status] ?? "";
  return new ApiError(status, { errorCode, httpCode: `${status} ${text}`.trim(), message });
}

/** A text that a body must have. @throws ApiError */
export function textOf(body: Call["body"], name: string): string {
  const value = body[name];
  if (typeof value === "string" && value !== "") return value;
  throw badRequest(`Missing parameter: ${name}`);
}

export function queryId(): string {
  const hex = (bytes: number) => randomBytes(bytes).toString("hex");
  return `EU.ext-1.${hex(4)}.${randomBytes(2).readUInt16BE()}.${hex(5)}`;
}

/** The same id for the same text. */
export function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const [third, fourth] = [`4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return [hex.slice(0, 8), hex.slice(8, 12), third, fourth, hex.slice(20, 32)].join("-");
}

/** The route of a request, and the parts of its path. */
export function findRoute(routes: readonly Route[], method: string, path: string) {
  for (const each of routes) {
    const part = each.method === method ? match(each.pattern, path) : undefined;
    if (part) return { route: each, part };
  }
  return undefined;
}

/** `/vps/{s}/ips` and its parts; undefined when a path is another. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const got = path.split("/");
  if (wanted.length !== got.length) return undefined;
  const part: Record<string, string> = {};
  for (const [index, word] of wanted.entries()) {
    const value = decoded(got[index] ?? "");
    const name = /^\{(\w+)\}$/.exec(word)?.[1];
    if (value === undefined || (name === undefined ? word !== value : value === "")) return undefined;
    if (name !== undefined) part[name] = value;
  }
  return part;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
