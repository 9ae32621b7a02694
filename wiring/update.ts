/** @module Updates and rollbacks, planned and ready to be carried out. */
import { FleetError } from "../core/errors.ts";
import type { OperationView } from "../core/operation/journal.ts";
import { type Request, type RequestOf, readRequest } from "../core/operation/request.ts";
import type { Audience } from "../core/ports.ts";
import { type PlanData, planDifferences, planHash } from "../core/rollout/plan.ts";
import { home } from "../outside/home.ts";
import { releaseOrigins } from "../outside/release-origins.ts";
import type { Operation } from "../verbs/operation.ts";
import {
  type Plan,
  planResume,
  planRollback,
  planUpdate,
  unprovenOnCanaries,
  update,
} from "../verbs/update/update.ts";
import { type ClientChanges, readChanges } from "./changes.ts";
import { expectedOf, journalsOf } from "./operation.ts";
import { updateContext } from "./update-context.ts";

/** What would be done, with all that a person is shown of it. */
export interface Planned {
  readonly stack: string;
  readonly plan: Plan;
  /** The same for the same plan. */
  readonly hash: string;
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

/** @throws FleetError as `planUpdate` and `planRollback`; `PLAN_CHANGED` in the turn */
export async function planTowns(
  audience: Audience,
  { stack, commit }: Place,
  request: RequestOf<"update"> | RequestOf<"rollback">,
): Promise<Planned> {
  const context = await updateContext(audience, stack, commit);
  const make = () =>
    request.verb === "update" ? planUpdate(context, request) : planRollback(context, request);
  const plan = await make();
  const { described } = releaseOrigins(home().state);
  const names = await Promise.all(
    [...plan.releases.keys()].map(async (id) => [id, await described(id)] as const),
  );
  // What towns ran before is proven by that.
  const options = request.verb === "update" ? request : { skipCheck: true };
  return {
    stack: context.file.stack,
    plan,
    hash: planHash(dataOf(plan)),
    changes: await readChanges(plan.rollout.targets, plan.running),
    unproven: unprovenOnCanaries(plan, (await context.file.read()).clients),
    expected: await expectedOf(context.file.stack, request.verb),
    described: (release) => new Map(names).get(release),
    async work(operation) {
      // Others may have had their turn since a person agreed.
      const now = await make();
      const differences = planDifferences(dataOf(plan), dataOf(now));
      if (differences.length > 0)
        throw new FleetError("PLAN_CHANGED", { differences: differences.join("; ") });
      await update(context, operation, now, options);
    },
  };
}

function dataOf({ rollout: { waves, targets }, running }: Plan): PlanData {
  return { waves, targets, running };
}

/**
 * What a rollout that was cut, cancelled or stopped has left.
 * @throws FleetError `OPERATION_NOT_RESUMABLE`, and as `planResume`
 */
export async function planRest(
  audience: Audience,
  { stack, commit }: Place,
  operation: OperationView,
  options: { readonly withoutCanary: boolean },
): Promise<{
  readonly stack: string;
  readonly request: Request;
  work(running: Operation): Promise<void>;
}> {
  if (operation.verb !== "update" && operation.verb !== "rollback")
    throw new FleetError("OPERATION_NOT_RESUMABLE", {
      ...{ id: operation.id, verb: operation.verb },
      cause: "phrase.noWaves",
    });
  const context = await updateContext(audience, stack, commit);
  const { id, verb } = operation;
  const kept = { ...operation.request, ...(options.withoutCanary ? { withoutCanary: true } : {}) };
  const request = readRequest(verb, kept);
  if (request?.verb !== "update" && request?.verb !== "rollback")
    throw new FleetError("OPERATION_NOT_RESUMABLE", { id, verb, cause: "phrase.unreadable" });
  const skipCheck = request.verb === "rollback" || request.skipCheck === true;
  const journals = journalsOf(context.file.stack);
  const make = async () => {
    const now = (await journals.find(id)) ?? operation;
    return planResume(context, { ...now, request: kept }, await journals.list());
  };
  // Refused before it waits for its turn; looked at again once it has come.
  await make();
  return {
    stack: context.file.stack,
    request,
    work: async (running) => update(context, running, await make(), { skipCheck }),
  };
}
