/** @module `update` and `rollback`: shown, confirmed, carried out as an operation. */
import { home } from "../../outside/home.ts";
import { operationJournals } from "../../outside/operation-journals.ts";
import { releaseOrigins } from "../../outside/release-origins.ts";
import { FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { StackFile } from "../../core/registry/port.ts";
import { expectedSeconds } from "../../core/operation/journal.ts";
import { passedOver } from "../../core/release/passed-over.ts";
import {
  type Plan,
  planRollback,
  planUpdate,
  unprovenOnCanaries,
  type UpdateRequest,
  update as updateClients,
} from "../../verbs/update/update.ts";
import { confirm } from "../ask.ts";
import { changesTable, readChanges } from "../changes-table.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { integer } from "../options.ts";
import { updateContext } from "../../wiring/update-context.ts";

export interface RolloutOptions {
  readonly client?: string[];
  readonly all?: boolean;
  readonly waves: string;
  readonly maxFailures: string;
  readonly soak: string;
  readonly parallel?: string;
  readonly withoutCanary?: boolean;
  readonly plan?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
  readonly wait: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export interface UpdateOptions extends RolloutOptions {
  readonly release?: string;
  readonly services?: string;
  readonly migration?: string;
  readonly onlyOutdated?: boolean;
  readonly skipCheck?: boolean;
}

export async function update(console: Console, options: UpdateOptions): Promise<void> {
  const { release, services, migration, onlyOutdated, skipCheck } = options;
  const request: UpdateRequest = {
    ...requestOf(options),
    release,
    services,
    migration,
    onlyOutdated,
    skipCheck,
  };
  const context = await updateContext(console, options.stack, options.commit);
  const plan = await planUpdate(context, request);
  if (!(await agreed(console, context.file, options, plan, "update"))) return;
  await asOperation(
    console,
    context.file.stack,
    { verb: "update", request: { ...request }, wait: options.wait, json: options.json ?? false },
    (operation) => updateClients(context, operation, plan, request),
  );
}

export async function rollback(console: Console, options: RolloutOptions): Promise<void> {
  const request = requestOf(options);
  const context = await updateContext(console, options.stack, options.commit);
  const plan = await planRollback(context, request);
  if (!(await agreed(console, context.file, options, plan, "rollback"))) return;
  await asOperation(
    console,
    context.file.stack,
    { verb: "rollback", request: { ...request }, wait: options.wait, json: options.json ?? false },
    // They ran here before: that is the proof.
    (operation) => updateClients(context, operation, plan, { skipCheck: true }),
  );
}

function requestOf(options: RolloutOptions) {
  const { client, all, waves, maxFailures, soak, parallel, withoutCanary } = options;
  return {
    clients: client,
    all,
    waves,
    maxFailures,
    withoutCanary,
    soakSeconds: integer("--soak", soak, 0, 86_400),
    parallel: parallel === undefined ? undefined : integer("--parallel", parallel, 1, 500),
  };
}

/** Shows the plan, and asks unless --yes says so. */
async function agreed(
  console: Console,
  file: StackFile,
  { plan: isPlan, yes, json }: RolloutOptions,
  plan: Plan,
  verb: "update" | "rollback",
): Promise<boolean> {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  const { rollout, running, releases } = plan;
  const { waves, targets } = rollout;
  const ids = [...releases.keys()].join(", ");
  const rows = await readChanges(targets, running);
  if (isPlan && json) {
    console.json({ waves, targets: Object.fromEntries(targets), clients: rows });
    return false;
  }
  if (waves.length === 0) {
    console.progress(t("update.nothing", { release: ids || "-" }));
    return false;
  }
  const show = isPlan ? console.print : console.progress;
  const { described } = releaseOrigins(home().state);
  for (const release of releases.values()) {
    const { id, version } = release;
    show(t("update.release", { release: id, version: version || ((await described(id)) ?? "-") }));
    const told = passedOver(release, console.language);
    if (told) show(told);
  }
  if (rows.length > 0) show(changesTable(rows, console.language));
  const unproven = unprovenOnCanaries(plan, (await file.read()).clients);
  for (const { release, canaries } of verb === "update" ? unproven : [])
    show(t("update.noCanary", { release, canaries: canaries.join(", ") }));
  show(t("update.plan", { waves: waves.map((names) => names.join(", ")).join(" → ") }));
  const expected = expectedSeconds(await operationJournals(home().state, file.stack).list(), verb);
  if (expected !== undefined)
    show(t("update.expected", { minutes: Math.max(1, Math.round((expected * waves.length) / 60)) }));
  if (isPlan) return false;
  const count = waves.flat().length;
  if (yes || (await confirm(console, t(`${verb}.question`, { count, release: ids })))) return true;
  throw new FleetError("NOT_CONFIRMED_ROLLOUT");
}
