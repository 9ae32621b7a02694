/** @module Updates and rollbacks, planned and ready to be carried out. */
import { FleetError } from "../core/errors.ts";
import type { OperationView } from "../core/operation/journal.ts";
import type { Audience } from "../core/ports.ts";
import { home } from "../outside/home.ts";
import { releaseOrigins } from "../outside/release-origins.ts";
import type { Operation } from "../verbs/operation.ts";
import {
  type Plan,
  planResume,
  planRollback,
  planUpdate,
  type RollbackRequest,
  type UpdateRequest,
  unprovenOnCanaries,
  update,
} from "../verbs/update/update.ts";
import { type ClientChanges, readChanges } from "./changes.ts";
import { expectedOf } from "./operation.ts";
import { updateContext } from "./update-context.ts";

export type { UpdateRequest };

/** What would be done, with all that a person is shown of it. */
export interface Planned {
  readonly stack: string;
  readonly plan: Plan;
  readonly changes: readonly ClientChanges[];
  /** Releases that no canary runs. */
  readonly unproven: ReturnType<typeof unprovenOnCanaries>;
  /** Seconds that a town took before; undefined when none ever did. */
  readonly expected: number | undefined;
  /** What git calls a release without a version. */
  described(release: string): string | undefined;
  work(operation: Operation): Promise<void>;
}

interface Place {
  readonly stack?: string;
  readonly commit: boolean;
}

/** @throws FleetError as `planUpdate` and `planRollback` */
export async function planTowns(
  audience: Audience,
  { stack, commit }: Place,
  verb: "update" | "rollback",
  request: UpdateRequest & RollbackRequest,
): Promise<Planned> {
  const context = await updateContext(audience, stack, commit);
  const plan = verb === "update" ? await planUpdate(context, request) : await planRollback(context, request);
  const { rollout, running, releases } = plan;
  const { described } = releaseOrigins(home().state);
  const names = await Promise.all([...releases.keys()].map(async (id) => [id, await described(id)] as const));
  // What towns ran before is proven by that.
  const options = verb === "update" ? request : { skipCheck: true };
  return {
    stack: context.file.stack,
    plan,
    changes: await readChanges(rollout.targets, running),
    unproven: unprovenOnCanaries(plan, (await context.file.read()).clients),
    expected: await expectedOf(context.file.stack, verb),
    described: (release) => new Map(names).get(release),
    work: (operation) => update(context, operation, plan, options),
  };
}

/**
 * What a rollout that was cut, cancelled or stopped has left.
 * @throws FleetError `OPERATION_NOT_RESUMABLE`, and as `planResume`
 */
export async function planRest(
  audience: Audience,
  { stack, commit }: Place,
  { id, verb, ...operation }: OperationView,
  options: { readonly withoutCanary: boolean },
): Promise<{
  readonly stack: string;
  readonly request: Readonly<Record<string, unknown>>;
  work(running: Operation): Promise<void>;
}> {
  if (verb !== "update" && verb !== "rollback")
    throw new FleetError("OPERATION_NOT_RESUMABLE", { id, verb, cause: "phrase.noWaves" });
  const context = await updateContext(audience, stack, commit);
  const request: Readonly<Record<string, unknown>> = {
    ...operation.request,
    ...(options.withoutCanary ? { withoutCanary: true } : {}),
  };
  const skipCheck = verb === "rollback" || request.skipCheck === true;
  return {
    stack: context.file.stack,
    request,
    work: async (running) =>
      update(context, running, await planResume(context, { ...operation, id, verb, request }), { skipCheck }),
  };
}
