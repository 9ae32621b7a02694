/** @module Operations as rows: what state each is in, and who changes it. */
import type { Transaction } from "kysely";
import { FleetError } from "../../core/errors.ts";
import {
  heldStates,
  mayBecome,
  type NewOperation,
  type Operations,
  type PageQuestion,
  type StoredOperation,
  type StoredState,
} from "../../core/store/operations.ts";
import type { Database } from "./database.ts";
import { eventsOf } from "./events.ts";
import { holderOf, operationOf, selectOperations } from "./operation-rows.ts";
import type { Presence } from "./presence.ts";
import { prune } from "./prune.ts";
import type { Schema } from "./schema.ts";

const ends: readonly StoredState[] = ["cancelled", "failed", "succeeded", "interrupted", "abandoned"];

export function operations(database: Database, presence: Presence): Operations {
  const { place } = database;
  return {
    submit,
    begin,
    claim,
    become,
    cancel,
    find,
    page,
    sweep,
    prune: (stack, retention) => prune(database, stack, retention),
    ...eventsOf(database),
  };

  async function submit(operation: NewOperation): Promise<void> {
    await database.run((db) =>
      db
        .insertInto("operation")
        .values({ ...columnsOf(operation), state: "queued", created: database.now(), last_seq: 0, bytes: 0 })
        .execute(),
    );
  }

  async function begin(operation: NewOperation): Promise<void> {
    const holder = await presence.id();
    const running = { state: "running", holder, started: database.now() } as const;
    await changing(operation.id, async (db, present) => {
      if (!present) {
        const row = { ...columnsOf(operation), ...running, created: database.now(), last_seq: 0, bytes: 0 };
        await db.insertInto("operation").values(row).execute();
        return;
      }
      if (present.state !== "queued") throw wrongState(present, "running");
      await db.updateTable("operation").set(running).where("id", "=", operation.id).execute();
    });
  }

  async function claim(stacks?: readonly string[]): Promise<StoredOperation | undefined> {
    const holder = await presence.id();
    const claimed = await database.exclusively("claim", async (db) => {
      const next = await db
        .selectFrom("operation as asked")
        .select("id")
        .where("state", "=", "queued")
        .where((eb) => eb.or([eb("not_before", "is", null), eb("not_before", "<=", database.now())]))
        .$if(stacks !== undefined, (query) => query.where("stack", "in", [...(stacks ?? [])]))
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("operation as other")
                .select("other.id")
                .whereRef("other.stack", "=", "asked.stack")
                .where("other.state", "in", heldStates),
            ),
          ),
        )
        .orderBy("created")
        .orderBy("id")
        .executeTakeFirst();
      if (!next) return undefined;
      await db
        .updateTable("operation")
        .set({ state: "running", holder, started: database.now() })
        .where("id", "=", next.id)
        .where("state", "=", "queued")
        .execute();
      return next.id;
    });
    return claimed === undefined ? undefined : find(claimed);
  }

  async function become(
    id: string,
    state: StoredState,
    { exit, cause }: Parameters<Operations["become"]>[2] = {},
  ): Promise<void> {
    const holder = heldStates.some((held) => held === state) ? await presence.id() : undefined;
    await changing(id, async (db, present) => {
      if (!present) throw new FleetError("OPERATION_UNKNOWN", { id });
      if (!mayBecome(present.state, state)) throw wrongState(present, state);
      await db
        .updateTable("operation")
        .set({
          state,
          ...(holder !== undefined && present.state === "queued" ? { holder } : {}),
          ...(state === "running" && present.started === undefined ? { started: database.now() } : {}),
          ...(state === "interrupted" ? { ended: present.ended ?? database.now() } : {}),
          ...(ends.includes(state) && present.ended === undefined ? { ended: database.now() } : {}),
          ...(exit === undefined ? {} : { exit }),
          ...(cause === undefined ? {} : { cause: JSON.stringify(cause) }),
        })
        .where("id", "=", id)
        .execute();
    });
  }

  function cancel(id: string, actor: string, letsEnd: readonly string[] = []): Promise<StoredState> {
    return changing(id, async (db, present) => {
      if (!present) throw new FleetError("OPERATION_UNKNOWN", { id });
      if (present.state === "cancelling") return "cancelling";
      const state = present.state === "queued" ? "cancelled" : "cancelling";
      if (!mayBecome(present.state, state))
        throw new FleetError("OPERATION_ENDED", { id, state: present.state });
      await db
        .updateTable("operation")
        .set({
          state,
          cancel: JSON.stringify({ actor, time: Date.now(), letsEnd }),
          ...(state === "cancelled" ? { ended: database.now() } : {}),
        })
        .where("id", "=", id)
        .execute();
      return state;
    });
  }

  /** One change at a time of an operation, as it is then. */
  function changing<T>(
    id: string,
    work: (db: Transaction<Schema>, present: StoredOperation | undefined) => Promise<T>,
  ): Promise<T> {
    return database.exclusively(`operation ${id}`, async (db) => {
      const row = await selectOperations(db, database).where("operation.id", "=", id).executeTakeFirst();
      return work(db, row && operationOf(row, place, presence));
    });
  }

  async function find(id: string): Promise<StoredOperation | undefined> {
    const row = await database.run((db) =>
      selectOperations(db, database).where("operation.id", "=", id).executeTakeFirst(),
    );
    return row && operationOf(row, place, presence);
  }

  async function page({ stack, states, before, limit = 50 }: PageQuestion = {}): Promise<StoredOperation[]> {
    const rows = await database.run((db) =>
      selectOperations(db, database)
        .$if(stack !== undefined, (query) => query.where("stack", "=", stack ?? ""))
        .$if(before !== undefined, (query) => query.where("operation.id", "<", before ?? ""))
        // Whether one is interrupted shows only when its process is looked for.
        .$if(states !== undefined, (query) => query.where("state", "in", writtenFor(states ?? [])))
        .orderBy("operation.id", "desc")
        .limit(limit)
        .execute(),
    );
    const found = rows.map((row) => operationOf(row, place, presence));
    return states ? found.filter(({ state }) => states.includes(state)) : found;
  }

  async function sweep(): Promise<StoredOperation[]> {
    const rows = await database.run((db) =>
      selectOperations(db, database).where("state", "in", heldStates).execute(),
    );
    const written: StoredOperation[] = [];
    for (const row of rows) {
      const holder = holderOf(row);
      if (holder && !presence.isDead(holder)) continue;
      const { numUpdatedRows } = await database.run((db) =>
        db
          .updateTable("operation")
          .set({ state: "interrupted", ended: row.beaten ?? database.now() })
          .where("id", "=", row.id)
          .where("state", "=", row.state)
          // Only if it has told nothing meanwhile.
          .$if(holder !== undefined, (query) =>
            query.where(({ exists, selectFrom }) =>
              exists(
                selectFrom("holder")
                  .select("holder.id")
                  .where("holder.id", "=", holder?.id ?? "")
                  .where("beat", "=", holder?.beat ?? 0),
              ),
            ),
          )
          .executeTakeFirstOrThrow(),
      );
      if (numUpdatedRows > 0) written.push({ ...operationOf(row, place, presence), state: "interrupted" });
    }
    return written;
  }
}

function writtenFor(states: readonly StoredState[]): StoredState[] {
  return [...new Set([...states, ...(states.includes("interrupted") ? heldStates : [])])];
}

function wrongState({ id, state }: StoredOperation, wanted: StoredState): FleetError {
  return new FleetError("OPERATION_STATE", { id, state, wanted });
}

function columnsOf({ planHash, notBefore, resumes, request, ...operation }: NewOperation) {
  const { id, verb, stack, actor } = operation;
  return {
    ...{ id, verb, stack, actor },
    request: JSON.stringify(request),
    plan_hash: planHash ?? null,
    not_before: notBefore ?? null,
    resumes: resumes ?? null,
  };
}
