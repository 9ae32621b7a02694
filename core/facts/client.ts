/** @module What a running server tells of itself, in one read-only question. */
import { z } from "zod";

/** Answer of the server's command `facts --json`. */
export const ClientFacts = z.object({
  release: z.string().nullish(),
  former: z.string().nullish(),
  containers: z
    .array(z.object({ service: z.string(), state: z.string(), health: z.string().nullish() }))
    .default([]),
  certificate: z.object({ notAfter: z.string(), daysLeft: z.number() }).nullish(),
  schedules: z
    .array(
      z.object({
        name: z.string(),
        next: z.string().nullish(),
        last: z.string().nullish(),
        result: z.string().nullish(),
      }),
    )
    .default([]),
  /** How the last run ended, and the newest good backup. */
  lastBackup: z
    .object({
      outcome: z.string().nullish(),
      endedAt: z.string().nullish(),
      newest: z.object({ folder: z.string(), createdAt: z.string() }).nullish(),
    })
    .nullish(),
  /** What the server's own regular check found last, an old check among it. */
  monitor: z
    .object({
      checkedAt: z.string().nullish(),
      /** `item`: which one, in no language; `text`: English. */
      problems: z
        .array(z.object({ code: z.string(), item: z.string().nullish(), text: z.string() }))
        .default([]),
    })
    .nullish(),
  disk: z.object({ usedPercent: z.number(), freeGiB: z.number() }).nullish(),
  memory: z.object({ totalMiB: z.number(), availableMiB: z.number() }).nullish(),
  /** Means of 1, 5 and 15 minutes. */
  load: z.array(z.number()).nullish(),
  rebootRequired: z.boolean().nullish(),
  /** The operation that holds the server now. */
  activity: z.object({ what: z.string(), pid: z.number().nullish(), since: z.string().nullish() }).nullish(),
});
export type ClientFacts = z.infer<typeof ClientFacts>;
