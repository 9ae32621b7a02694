/** @module Certificates asked for, as rows: each counts as given out unless a row says that it failed. */
import { type AcmeEvent, acmeBudget, relevantEvents } from "../../core/certificate/budget.ts";
import type { AcmeLedger } from "../../core/ports.ts";
import type { Database } from "./database.ts";

export function certificates(database: Database): AcmeLedger {
  return { spend, fail };

  function spend({ domain, server, time }: Parameters<AcmeLedger["spend"]>[0]) {
    return database.exclusively("certificates", async (db) => {
      const rows = await db
        .selectFrom("certificate_request as asked")
        .leftJoin("certificate_failure as failure", "failure.request", "asked.id")
        .select(["asked.domain", "asked.server", "asked.time", "failure.request as failed"])
        .where("server", "=", server)
        .execute();
      const events = rows.map(
        ({ failed, ...asked }): AcmeEvent => ({ ...asked, outcome: failed === null ? "issued" : "failed" }),
      );
      const budget = acmeBudget(relevantEvents(events, time), domain, server, time);
      if (budget.ok) await db.insertInto("certificate_request").values({ domain, server, time }).execute();
      return budget;
    });
  }

  async function fail({ domain, server, time }: Parameters<AcmeLedger["fail"]>[0]): Promise<void> {
    await database.exclusively("certificates", async (db) => {
      const asked = await db
        .selectFrom("certificate_request as asked")
        .leftJoin("certificate_failure as failure", "failure.request", "asked.id")
        .select("asked.id")
        .where("domain", "=", domain)
        .where("server", "=", server)
        .where("time", "=", time)
        .where("failure.request", "is", null)
        .orderBy("asked.id", "desc")
        .executeTakeFirst();
      if (asked) await db.insertInto("certificate_failure").values({ request: asked.id }).execute();
    });
  }
}
