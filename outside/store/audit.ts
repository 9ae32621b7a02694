/** @module Who did what, added to and never changed. */
import { z } from "zod";
import type { Audit } from "../../core/store/port.ts";
import type { Database } from "./database.ts";
import { readJson } from "./json.ts";

const Values = z.record(z.string(), z.unknown());

export function audit(database: Database): Audit {
  return {
    add: async ({ actor, action, values }) => {
      const row = { time: database.now(), actor, action, values: JSON.stringify(values) };
      await database.run((db) => db.insertInto("audit").values(row).execute());
    },
    page: async ({ before, limit = 50 } = {}) => {
      const rows = await database.run((db) =>
        db
          .selectFrom("audit")
          .selectAll()
          .$if(before !== undefined, (query) => query.where("seq", "<", before ?? 0))
          .orderBy("seq", "desc")
          .limit(limit)
          .execute(),
      );
      return rows.map(({ values, ...entry }) => ({
        ...entry,
        values: readJson(Values, values, database.place, `entry ${entry.seq} of the audit`),
      }));
    },
  };
}
