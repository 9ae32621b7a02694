/** @module What is kept of a stack's operations. */
import { overRetention, type Retention } from "../../core/store/operations.ts";
import type { Database } from "./database.ts";

export async function prune(database: Database, stack: string, retention: Retention): Promise<string[]> {
  const ended = await database.run((db) =>
    db
      .selectFrom("operation")
      .select(["id", "ended", "bytes"])
      .where("stack", "=", stack)
      .where("state", "not in", ["queued", "waiting", "running", "cancelling"])
      .orderBy("id", "desc")
      .execute(),
  );
  const ids = overRetention(ended, retention, Date.now());
  // One at a time: what else is written need not wait for the removal of all.
  for (const id of ids) await database.run((db) => db.deleteFrom("operation").where("id", "=", id).execute());
  return ids;
}
