/** @module OVH's API as operations see it: types only. */
import type { z } from "zod";

export interface OvhRequest<T> {
  /** Sent as JSON; left out when there is none. */
  readonly body?: Readonly<Record<string, unknown>>;
  /** Shape of the answer; without it the answer is not looked at. */
  readonly schema?: z.ZodType<T>;
  /** Doing it twice is doing it once: it may be repeated after trouble. @default true for GET, false otherwise */
  readonly idempotent?: boolean;
}

type Send = <T = unknown>(path: string, request?: OvhRequest<T>) => Promise<T>;

/**
 * Paced and signed requests. `path` below the API's base, with its query.
 * Fail with FleetError `OVH_REFUSED` (values: status, cause), `OVH_UNREACHABLE` (nobody knows whether it had an effect)
 * or `OVH_UNEXPECTED`.
 */
export interface Ovh {
  readonly get: Send;
  readonly post: Send;
  readonly put: Send;
  readonly delete: Send;
  /** Seconds since 1970 by OVH's clock; by this machine's where OVH does not tell. */
  time(): Promise<number>;
  /** @throws FleetError `OVH_RIGHTS` that lists what the credentials may not do */
  checkRights(needed: readonly Right[]): Promise<void>;
}

export interface Right {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `*` stands for anything, as in OVH's own rules. */
  readonly path: string;
}
