/** @module The journal of a retirement: what was done, so that the next run goes on where the last one ended. */
import { z } from "zod";

const Target = z.object({
  client: z.string(),
  host: z.string(),
  port: z.number(),
  user: z.string(),
  hostKey: z.string(),
});

/** The last backup, as the server tells it. */
export const Export = z.object({
  folder: z.string().regex(/^\d{8}T\d{6}Z$/),
  createdAt: z.string(),
  tables: z.int(),
  rows: z.int(),
  photos: z.int(),
  files: z
    .array(
      z.object({
        file: z.string().regex(/^[a-z]+(\.[a-z]+)+$/),
        bytes: z.int(),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(3),
});
export type Export = z.infer<typeof Export>;

export const RetirementEvent = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("started"),
    stack: z.string(),
    domain: z.string(),
    serviceName: z.string().optional(),
    target: Target,
  }),
  z.object({ event: z.literal("exported"), export: Export }),
  /** Somebody opened the town again after its last backup, which is therefore not the last one. */
  z.object({ event: z.literal("reopened") }),
  z.object({ event: z.literal("withoutBackup"), cause: z.string(), isGone: z.boolean() }),
  z.object({ event: z.literal("stopped") }),
  /** From here on the server may refuse the key. */
  z.object({ event: z.literal("keyGoing") }),
  z.object({ event: z.literal("keyGone") }),
  z.object({ event: z.literal("undeclared") }),
  z.object({ event: z.literal("converged") }),
  /** `after`: the newest mail of the account before the token was asked for. */
  z.object({ event: z.literal("terminationAsked"), after: z.int() }),
  z.object({ event: z.literal("terminated") }),
]);
export type RetirementEvent = z.infer<typeof RetirementEvent>;
export const RetirementLine = z.intersection(z.object({ time: z.iso.datetime() }), RetirementEvent);
export type RetirementLine = z.infer<typeof RetirementLine>;

export interface Retirement {
  readonly started: Extract<RetirementLine, { event: "started" }>;
  readonly exported?: Export;
  readonly withoutBackup?: { readonly cause: string; readonly isGone: boolean };
  readonly isStopped: boolean;
  readonly isKeyGoing: boolean;
  readonly isKeyGone: boolean;
  readonly isUndeclared: boolean;
  readonly isConverged: boolean;
  readonly terminationAsked?: { readonly after: number };
  readonly isTerminated: boolean;
}

/** The newest retirement of a journal. */
export function retirementOf(lines: readonly RetirementLine[]): Retirement | undefined {
  const start = lines.findLastIndex(({ event }) => event === "started");
  const [started, ...rest] = start < 0 ? [] : lines.slice(start);
  if (started?.event !== "started") return undefined;
  const reopened = rest.findLastIndex(({ event }) => event === "reopened");
  const exported = rest.slice(reopened + 1).findLast((line) => line.event === "exported");
  const without = rest.findLast((line) => line.event === "withoutBackup");
  const asked = rest.findLast((line) => line.event === "terminationAsked");
  const has = (event: RetirementEvent["event"]) => rest.some((line) => line.event === event);
  return {
    started,
    ...(exported ? { exported: exported.export } : {}),
    ...(without ? { withoutBackup: without } : {}),
    isStopped: has("stopped"),
    isKeyGoing: has("keyGoing"),
    isKeyGone: has("keyGone"),
    isUndeclared: has("undeclared"),
    isConverged: has("converged"),
    ...(asked ? { terminationAsked: asked } : {}),
    isTerminated: has("terminated"),
  };
}
