/** @module Rows of operations as the rest of the program sees them. */
import { type Kysely, type Selectable, sql } from "kysely";
import { z } from "zod";
import type { Holder } from "../../core/store/holder.ts";
import { heldStates, type StoredOperation } from "../../core/store/operations.ts";
import type { Database } from "./database.ts";
import { readJson } from "./json.ts";
import type { Presence } from "./presence.ts";
import type { OperationTable, Schema } from "./schema.ts";

const Request = z.record(z.string(), z.unknown());
const Cause = z.object({
  code: z.string(),
  values: z.record(z.string(), z.union([z.string(), z.number()])),
  place: z.object({ client: z.string().exactOptional(), step: z.string().exactOptional() }).exactOptional(),
});
const Cancel = z.object({ actor: z.string(), time: z.number(), letsEnd: z.array(z.string()) });

/** Rows of operations with the process that holds each. */
export function selectOperations(db: Kysely<Schema>, database: Database) {
  return db
    .selectFrom("operation")
    .leftJoin("holder", "holder.id", "operation.holder")
    .selectAll("operation")
    .select([
      "holder.machine",
      "holder.boot",
      "holder.namespace",
      "holder.pid",
      "holder.started as born",
      "holder.beat",
      "holder.beaten",
      sql<number | null>`${database.now()} - holder.beaten`.as("silent"),
    ]);
}

export type OperationRow = Awaited<
  ReturnType<ReturnType<typeof selectOperations>["executeTakeFirstOrThrow"]>
>;

/** As it is: whether its process lives is seen now. */
export function operationOf(row: OperationRow, place: string, presence: Presence): StoredOperation {
  const holder = holderOf(row);
  const isInterrupted = isHeld(row) && (!holder || presence.looksDead(holder));
  const json = <T>(schema: z.ZodType<T>, text: string) =>
    readJson(schema, text, place, `operation ${row.id}`);
  return dense({
    id: row.id,
    verb: row.verb,
    stack: row.stack,
    actor: row.actor,
    request: json(Request, row.request),
    planHash: row.plan_hash,
    notBefore: row.not_before,
    resumes: row.resumes,
    state: isInterrupted ? "interrupted" : row.state,
    created: row.created,
    started: row.started,
    ended: isInterrupted ? row.beaten : row.ended,
    exit: row.exit,
    cause: row.cause === null ? null : json(Cause, row.cause),
    cancel: row.cancel === null ? null : json(Cancel, row.cancel),
    holder: holder ?? null,
    lastSeq: row.last_seq,
    bytes: row.bytes,
  });
}

export function isHeld({ state }: Pick<Selectable<OperationTable>, "state">): boolean {
  return heldStates.some((held) => held === state);
}

export function holderOf(row: OperationRow): Holder | undefined {
  const { holder: id, machine, boot, namespace, pid, born: started, beat, silent } = row;
  if (id === null || machine === null || boot === null || namespace === null) return undefined;
  if (pid === null || started === null || beat === null || silent === null) return undefined;
  return { id, machine, boot, namespace, pid, started, beat, silent };
}

type Dense<T> = { [Key in keyof T as null extends T[Key] ? never : Key]: T[Key] } & {
  [Key in keyof T as null extends T[Key] ? Key : never]?: NonNullable<T[Key]>;
};

/** Without what the database has no value for. */
function dense<T extends object>(row: T): Dense<T> {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as Dense<T>;
}
