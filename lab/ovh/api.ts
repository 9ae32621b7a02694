/** @module The frame of the emulated API: routes, answers and errors in OVH's shape. */
import { randomBytes } from "node:crypto";

export interface Call {
  readonly method: string;
  /** Path below the base, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parts of the path that the route names. */
  readonly part: Readonly<Record<string, string>>;
  /** Parsed body; an empty object when there is none. */
  readonly body: Readonly<Record<string, unknown>>;
}

export type Handler = (call: Call) => unknown;

export interface Route {
  readonly method: string;
  readonly pattern: string;
  /** Without credentials. */
  readonly isPublic: boolean;
  readonly handle: Handler;
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
export const unknownUrl = () => notFound("Got an invalid (or empty) URL");

/** The older family of errors, that of credentials. */
export function refused(status: number, errorCode: string, message: string): ApiError {
  const text = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden" }[status] ?? "";
  return new ApiError(status, { errorCode, httpCode: `${status} ${text}`.trim(), message });
}

export function queryId(): string {
  const hex = (bytes: number) => randomBytes(bytes).toString("hex");
  return `EU.ext-1.${hex(4)}.${randomBytes(2).readUInt16BE()}.${hex(5)}`;
}

/** `/vps/{s}/ips` and its parts; undefined when a path is another. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const got = path.split("/");
  if (wanted.length !== got.length) return undefined;
  const part: Record<string, string> = {};
  for (const [index, word] of wanted.entries()) {
    const value = got[index] ?? "";
    const name = /^\{(\w+)\}$/.exec(word)?.[1];
    if (name === undefined ? word !== value : value === "") return undefined;
    if (name !== undefined) part[name] = decodeURIComponent(value);
  }
  return part;
}
