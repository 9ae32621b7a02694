/** @module One publication of a zone for everybody who waits for one. */
import type { Turns } from "../../core/store/turns.ts";
import type { ZoneRefreshes } from "../../core/store/port.ts";
import type { Database } from "./database.ts";

export function zones(database: Database, turns: Turns): ZoneRefreshes {
  return { refresh };

  async function refresh(zone: string, since: number, work: () => Promise<void>): Promise<boolean> {
    const asked = await byStore(since);
    const turn = await turns.enter(`zone ${zone}`, { what: `refresh ${zone}`, actor: "" });
    try {
      const last = await database.run((db) =>
        db.selectFrom("zone_refresh").select("began").where("zone", "=", zone).executeTakeFirst(),
      );
      if (last && last.began >= asked) return false;
      const began = await clock();
      await work();
      await turn.held();
      await database.run((db) =>
        db
          .insertInto("zone_refresh")
          .values({ zone, began })
          .onConflict((conflict) => conflict.column("zone").doUpdateSet({ began }))
          .execute(),
      );
      return true;
    } finally {
      await turn.release();
    }
  }

  /** A moment of this machine's clock by the store's; rather too late than too early. */
  async function byStore(moment: number): Promise<number> {
    if (database.isOneMachine) return moment;
    const before = Date.now();
    return moment + ((await clock()) - before);
  }

  async function clock(): Promise<number> {
    const { now } = await database.run((db) =>
      db.selectNoFrom(database.now().as("now")).executeTakeFirstOrThrow(),
    );
    return now;
  }
}
