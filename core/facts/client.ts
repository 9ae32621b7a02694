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
  lastBackup: z.unknown().nullish(),
  disk: z.object({ usedPercent: z.number(), freeGiB: z.number() }).nullish(),
  rebootRequired: z.boolean().nullish(),
});
export type ClientFacts = z.infer<typeof ClientFacts>;
