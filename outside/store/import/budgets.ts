/** @module Budgets of certificates, the pace of requests and publications of zones, taken over. */
import type { Transaction } from "kysely";
import { z } from "zod";
import type { Schema } from "../schema.ts";
import { understood } from "./unreadable.ts";

const Certificates = z.array(
  z.object({
    domain: z.string(),
    server: z.string(),
    time: z.number(),
    outcome: z.enum(["issued", "failed"]),
  }),
);

/** What is there already is not counted twice. @throws Unreadable */
export async function importCertificates(db: Transaction<Schema>, text: string): Promise<boolean> {
  for (const { outcome, ...asked } of understood(Certificates, text, "the ledger")) {
    const found = await db
      .selectFrom("certificate_request")
      .select("id")
      .where("domain", "=", asked.domain)
      .where("server", "=", asked.server)
      .where("time", "=", asked.time)
      .executeTakeFirst();
    const { id } =
      found ??
      (await db.insertInto("certificate_request").values(asked).returning("id").executeTakeFirstOrThrow());
    if (outcome === "failed")
      await db
        .insertInto("certificate_failure")
        .values({ request: id })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
  }
  return true;
}

/** What cannot be read is forgotten: at worst a minute's budget is spent twice. */
export function importPace(name: string) {
  return async (db: Transaction<Schema>, text: string): Promise<boolean> => {
    const sent = JSON.stringify(lenient(z.array(z.number()), text) ?? []);
    await db
      .insertInto("pace")
      .values({ name, sent })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return true;
  };
}

/** What cannot be read says nothing: one publication more does no harm. */
export function importZone(zone: string) {
  return async (db: Transaction<Schema>, text: string): Promise<boolean> => {
    const { began } = lenient(z.object({ began: z.number() }), text) ?? {};
    if (began === undefined) return true;
    await db
      .insertInto("zone_refresh")
      .values({ zone, began })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return true;
  };
}

function lenient<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
