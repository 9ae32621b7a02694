/** @module This process among those that share the store: its row, its beats, and what it can tell of others. */
import { randomUUID } from "node:crypto";
import type { ExpressionBuilder } from "kysely";
import { sql } from "kysely";
import {
  beatMilliseconds,
  type Holder,
  type Identity,
  isSeenAlive,
  silenceMilliseconds,
  silenceWatch,
} from "../../core/store/holder.ts";
import { startOf } from "../process.ts";
import type { Database } from "./database.ts";
import type { Schema } from "./schema.ts";

export interface Presence {
  /** This process's row, written at the first call. */
  id(): Promise<string>;
  /** Sure enough to take over what it holds: never by a clock that somebody sets. */
  isDead(holder: Holder): boolean;
  /** Good enough to be shown: what was told last counts, by the store's clock. */
  looksDead(holder: Holder): boolean;
  close(): Promise<void>;
}

export interface PresenceOptions {
  readonly identity: Identity;
  /** Milliseconds of a clock that nobody sets. @default performance.now */
  readonly monotonic?: () => number;
}

const dayMilliseconds = 86_400_000;

export function presence(
  database: Database,
  { identity, monotonic = () => performance.now() }: PresenceOptions,
): Presence {
  const own = randomUUID();
  const isSilent = silenceWatch(monotonic);
  let entered: Promise<string> | undefined;
  let timer: NodeJS.Timeout | undefined;
  return { id, isDead, looksDead, close };

  function id(): Promise<string> {
    entered ??= enter().catch((error) => {
      entered = undefined;
      throw error;
    });
    return entered;
  }

  async function enter(): Promise<string> {
    await database.exclusively("holder", async (db) => {
      const forgotten = await db
        .selectFrom("holder")
        .selectAll()
        .where("beaten", "<", sql<number>`${database.now()} - ${sql.lit(dayMilliseconds)}`)
        .where(({ not, exists }) => not(exists(turnOfHolder)))
        .where(({ not, exists }) => not(exists(operationOfHolder)))
        .execute();
      // A machine that slept for days has processes that live.
      const gone = forgotten.filter((holder) => seen(holder) !== true).map((holder) => holder.id);
      for (const each of gone) await db.deleteFrom("holder").where("id", "=", each).execute();
      await db
        .insertInto("holder")
        .values({ id: own, ...identity, beat: 0, beaten: database.now() })
        .execute();
    });
    clearInterval(timer);
    timer = setInterval(() => void beat(), beatMilliseconds);
    timer.unref();
    return own;
  }

  async function beat(): Promise<void> {
    const told = await database
      .run((db) =>
        db
          .updateTable("holder")
          .set(({ eb }) => ({ beat: eb("beat", "+", 1), beaten: database.now() }))
          .where("id", "=", own)
          .executeTakeFirstOrThrow(),
      )
      // Whoever holds something asks before it goes on whether it still does.
      .catch(() => undefined);
    // It slept so long that it was forgotten, or the store was restored: it enters anew when it next holds something.
    if (told?.numUpdatedRows === 0n) entered = undefined;
  }

  function isDead(holder: Holder): boolean {
    const isAlive = seen(holder);
    return isAlive === undefined ? isSilent(holder) : !isAlive;
  }

  function looksDead(holder: Holder): boolean {
    const isAlive = seen(holder);
    return isAlive === undefined ? holder.silent > silenceMilliseconds : !isAlive;
  }

  function seen(holder: Identity & { readonly id: string }): boolean | undefined {
    return holder.id === own || isSeenAlive(identity, holder, database.isOneMachine, startOf);
  }

  async function close(): Promise<void> {
    clearInterval(timer);
    await entered?.catch(() => {});
  }
}

function turnOfHolder(eb: ExpressionBuilder<Schema, "holder">) {
  return eb.selectFrom("turn").select("ticket").whereRef("turn.holder", "=", "holder.id");
}

function operationOfHolder(eb: ExpressionBuilder<Schema, "holder">) {
  return eb.selectFrom("operation").select("operation.id").whereRef("operation.holder", "=", "holder.id");
}
