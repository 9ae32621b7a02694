/** @module Turns as rows: the lowest ticket whose process lives has the turn. */
import { setTimeout } from "node:timers/promises";
import { sql } from "kysely";
import { FleetError } from "../../core/errors.ts";
import type { InLine, Turn, TurnOptions, Turns } from "../../core/store/turns.ts";
import type { Database } from "./database.ts";
import type { Presence } from "./presence.ts";

/** Who is next asks often at first: most turns of a fleet's tools are short. */
const pauses = { shortest: 2, longest: 250, growth: 1.5 } as const;

/** Who has had a turn lets others into the line before he may stand there again: SQLite lets in whoever happens to ask. */
const courtesyMilliseconds = 5;

export function turns(database: Database, presence: Presence): Turns {
  return { enter, line, withdraw };

  async function enter(key: string, options: TurnOptions): Promise<Turn> {
    const { what, actor, onDead } = options;
    const ticket = await stand(key, what, actor);
    const release = async () => {
      await leave(ticket);
      await setTimeout(courtesyMilliseconds);
    };
    try {
      await untilFirst(key, ticket, options, onDead);
      return { ticket, held, release };
    } catch (error) {
      await release();
      throw error;
    }

    async function held(): Promise<void> {
      const found = await database.run((db) =>
        db.selectFrom("turn").select("ticket").where("ticket", "=", ticket).executeTakeFirst(),
      );
      if (!found) throw new FleetError("TURN_LOST", { key, what });
    }
  }

  /** Tickets of one key are given out one after the other, so that whoever comes later sees those before. */
  async function stand(key: string, what: string, actor: string): Promise<number> {
    const holder = await presence.id();
    const { ticket } = await database.exclusively(`turn ${key}`, (db) =>
      db
        .insertInto("turn")
        .values({ key, holder, what, actor, since: database.now() })
        .returning("ticket")
        .executeTakeFirstOrThrow(),
    );
    return ticket;
  }

  async function untilFirst(
    key: string,
    ticket: number,
    { what, wait = true, signal, onWait }: TurnOptions,
    onDead: TurnOptions["onDead"],
  ): Promise<void> {
    let shown = "";
    let pause: number = pauses.shortest;
    for (;;) {
      const present = await line(key);
      const own = present.findIndex((each) => each.ticket === ticket);
      if (own < 0 || signal?.aborted) throw new FleetError("CANCELLED", { operation: what });
      const before = await withoutDead(present.slice(0, own), onDead);
      const [first] = before;
      if (!first) return;
      if (!wait && !isDoubtful(first)) throw taken(key, first);
      const place = `${first.ticket} ${before.length}`;
      if (place !== shown) {
        onWait?.(first, before.length);
        pause = pauses.shortest;
      }
      shown = place;
      await setTimeout(pause, undefined, signal ? { signal } : {}).catch(() => {});
      pause = Math.min(pauses.longest, pause * pauses.growth);
    }
  }

  async function withoutDead(before: readonly InLine[], onDead: TurnOptions["onDead"]): Promise<InLine[]> {
    const living: InLine[] = [];
    for (const each of before) {
      if (presence.isDead(each.holder) && (await remove(each))) onDead?.(each);
      // Also one that gave a sign of life just now; one that somebody else has removed is not there at the next look.
      else living.push(each);
    }
    return living;
  }

  /** It may be dead, which only watching it tells: who must not wait for a turn waits for that. */
  function isDoubtful({ holder }: InLine): boolean {
    return presence.looksDead(holder);
  }

  function taken(key: string, { what, actor, since, holder }: InLine): FleetError {
    const moment = new Date(since).toISOString();
    return new FleetError("TURN_TAKEN", { key, what, actor, pid: holder.pid, since: moment });
  }

  /** Only if it has told nothing meanwhile. */
  async function remove({ ticket, holder }: InLine): Promise<boolean> {
    const { numDeletedRows } = await database.run((db) =>
      db
        .deleteFrom("turn")
        .where("ticket", "=", ticket)
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom("holder").select("id").where("id", "=", holder.id).where("beat", "=", holder.beat),
          ),
        )
        .executeTakeFirstOrThrow(),
    );
    return numDeletedRows > 0;
  }

  async function leave(ticket: number): Promise<void> {
    await database.run((db) => db.deleteFrom("turn").where("ticket", "=", ticket).execute());
  }

  async function line(key: string): Promise<InLine[]> {
    const rows = await database.run((db) =>
      db
        .selectFrom("turn")
        .innerJoin("holder", "holder.id", "turn.holder")
        .selectAll("holder")
        .select(["ticket", "what", "actor", "since"])
        .select(sql<number>`${database.now()} - beaten`.as("silent"))
        .where("key", "=", key)
        .orderBy("ticket")
        .execute(),
    );
    return rows.map(({ ticket, what, actor, since, beaten: _, ...holder }) => ({
      ticket,
      what,
      actor,
      since,
      holder,
    }));
  }

  function withdraw(key: string, ticket: number): Promise<boolean> {
    return database.exclusively(`turn ${key}`, async (db) => {
      const first = await db
        .selectFrom("turn")
        .select("ticket")
        .where("key", "=", key)
        .orderBy("ticket")
        .executeTakeFirst();
      if (!first || first.ticket === ticket) return false;
      const { numDeletedRows } = await db
        .deleteFrom("turn")
        .where("key", "=", key)
        .where("ticket", "=", ticket)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0;
    });
  }
}
