/** @module The pace of requests to an API, over everybody who shares the store. */
import { z } from "zod";
import { pace } from "../../core/ovh/request.ts";
import type { Pace } from "../../core/store/port.ts";
import type { Database } from "./database.ts";

const Sent = z.array(z.number());
/** What is booked for later than this was booked by a clock that went wrong. */
const longestMilliseconds = 600_000;

export function paces(database: Database): Pace {
  return { book };

  function book(name: string, perMinute: number): Promise<number> {
    return database.exclusively(`pace ${name}`, async (db) => {
      const { now } = await db.selectNoFrom(database.now().as("now")).executeTakeFirstOrThrow();
      const row = await db.selectFrom("pace").select("sent").where("name", "=", name).executeTakeFirst();
      const past = timesOf(row?.sent).filter((time) => time < now + longestMilliseconds);
      const { at, sent } = pace(past, now, perMinute);
      const value = { sent: JSON.stringify(sent) };
      await db
        .insertInto("pace")
        .values({ name, ...value })
        .onConflict((conflict) => conflict.column("name").doUpdateSet(value))
        .execute();
      return Math.max(0, at - now);
    });
  }
}

/** What cannot be read is forgotten: at worst a minute's budget is spent twice. */
function timesOf(text: string | undefined): number[] {
  try {
    return Sent.parse(JSON.parse(text ?? "[]"));
  } catch {
    return [];
  }
}
