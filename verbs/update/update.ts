/** @module `update`, `rollback` and going on with either: which clients, which releases, in which waves. */

import type { ClientConfig, FleetConfig } from "../../core/config/stack.ts";
import { FleetError } from "../../core/errors.ts";
import { isReleaseId } from "../../core/naming.ts";
import type { OperationView } from "../../core/operation/journal.ts";
import { type RequestOf, readRequest } from "../../core/operation/request.ts";
import { caughtUpLater } from "../../core/operation/resume.ts";
import type { Release } from "../../core/release/release.ts";
import { type KeptRelease, releaseChanges } from "../../core/rollout/changes.ts";
import { chooseClients, chooseMigration, chooseServices } from "../../core/rollout/choice.ts";
import { allowedFailures, planWaves } from "../../core/rollout/waves.ts";
import type { Operation } from "../operation.ts";
import { type Rollout, type RolloutContext, rollOut } from "./roll-out.ts";

export type UpdateRequest = Omit<RequestOf<"update">, "verb">;

export interface Releases {
  readonly folder: string;
  /** The suite's present tree, kept. @throws FleetError of the suite */
  present(config: FleetConfig): Promise<Release>;
  /** @throws FleetError `RELEASE_BROKEN` */
  read(id: string): Promise<Release | undefined>;
  /** Id of the release that was made of a tag or commit. @throws FleetError `RELEASE_AMBIGUOUS` */
  named(name: string): Promise<string | undefined>;
  /** What a comparison needs of a release. @throws FleetError `RELEASE_BROKEN` */
  kept(id: string): Promise<KeptRelease | undefined>;
  /** Names of a kept release's migrations, in their order. */
  migrations(release: Release): Promise<string[]>;
  /** @throws FleetError `SERVICES_NOT_ALONE` */
  partial(
    former: Release,
    present: Release,
    parts: { readonly services: readonly string[]; readonly migration?: string | undefined },
    config: FleetConfig,
  ): Promise<Release>;
}

export interface UpdateContext extends RolloutContext {
  readonly releases: Releases;
  /** @throws FleetError `RELEASE_CHECK_FAILED`. @returns whether it was tried now */
  checkRelease(release: Release, operation: Operation): Promise<boolean>;
  /** Removes from this machine what nobody needs any more. `running`: releases that towns run. */
  prune(running: Iterable<string>): Promise<{
    readonly releases: number;
    readonly images: number;
    readonly bytes: number;
  }>;
}

/** What a rollout will do; nothing was changed for it. */
export interface Plan {
  readonly rollout: Rollout;
  /** Releases by id, the different ones of the targets. */
  readonly releases: ReadonlyMap<string, Release>;
  /** Release that runs, by client, where there is one. */
  readonly running: ReadonlyMap<string, string>;
}

/** @throws FleetError of the names, the options and the suite: `CLIENTS_NOT_FOUND`, `OPTION_INVALID`, `VOLUMES_CHANGED` … */
export async function planUpdate(context: UpdateContext, request: UpdateRequest): Promise<Plan> {
  const { file, engine, releases } = context;
  const config = await file.read();
  const chosen = chooseClients(config.clients, request, file.stack);
  const wanted = request.release === undefined ? await releases.present(config) : await held(request.release);
  const parts = await readParts(wanted);
  const running = await engine.activated();
  const targets = new Map<string, string>();
  const used = new Map<string, Release>();
  for (const { name } of chosen) {
    const release = parts ? await partial(name) : wanted;
    targets.set(name, release.id);
    used.set(release.id, release);
  }
  await refuseImpossible(releases, running, targets);
  const left = request.onlyOutdated
    ? chosen.filter(({ name }) => running.get(name) !== targets.get(name))
    : chosen;
  return {
    running,
    releases: used,
    rollout: {
      waves: planWaves(left, request.waves),
      targets: new Map([...targets].filter(([name]) => left.some((client) => client.name === name))),
      done: new Set(),
      parallel: request.parallel,
      soakSeconds: request.soakSeconds,
      withoutCanary: request.withoutCanary,
      allowedFailures: allowedFailures(request.maxFailures, left.length),
      message: parts ? `Update ${describeParts(parts)}` : `Update to ${wanted.id}`,
    },
  };

  async function held(id: string): Promise<Release> {
    const release = isReleaseId(id) ? await releases.read(id) : undefined;
    if (release) return release;
    const made = await releases.named(id);
    const named = made && (await releases.read(made));
    if (named) return named;
    throw new FleetError("RELEASE_NOT_HELD", {
      release: JSON.stringify(id.slice(0, 60)),
      store: releases.folder,
    });
  }

  async function readParts(release: Release) {
    const { services, migration } = request;
    if (services === undefined && migration === undefined) return undefined;
    const folder = release.adapter.database.migrations;
    return {
      services: services === undefined ? [] : chooseServices(services, Object.keys(release.services)),
      migration:
        migration === undefined
          ? undefined
          : chooseMigration(migration, await releases.migrations(release), folder),
    };
  }

  /** A client that never ran anything gets the whole. */
  async function partial(name: string): Promise<Release> {
    const id = running.get(name);
    if (id === undefined || !parts) return wanted;
    return releases.partial(await held(id), wanted, parts, config);
  }
}

/** Releases of a plan without canaries that none of the canaries runs. */
export function unprovenOnCanaries(
  { rollout, releases, running }: Plan,
  declared: readonly ClientConfig[],
): { readonly release: string; readonly canaries: readonly string[] }[] {
  const chosen = new Set(rollout.waves.flat());
  const canaries = declared.filter(({ canary, detached }) => canary && !detached).map(({ name }) => name);
  if (canaries.length === 0 || canaries.some((name) => chosen.has(name))) return [];
  return [...releases.keys()].flatMap((release) =>
    canaries.some((name) => running.get(name) === release) ? [] : [{ release, canaries }],
  );
}

/** Every release of the plan is tried first, then the clients are brought there. */
export async function update(
  context: UpdateContext,
  operation: Operation,
  { rollout, releases }: Plan,
  { skipCheck = false }: Pick<UpdateRequest, "skipCheck">,
): Promise<void> {
  operation.plan(rollout.waves, Object.fromEntries(rollout.targets));
  if (!skipCheck && rollout.waves.length > 0)
    for (const release of releases.values()) {
      operation.line(context.tell("update.checking"));
      const began = context.now();
      const isNew = await context.checkRelease(release, operation);
      const seconds = Math.round((context.now() - began) / 1000);
      if (isNew) operation.line(context.tell("update.checked", { seconds }));
    }
  await rollOut(context, operation, rollout);
  await tidy(context, operation);
}

/** What stays too long is no failure of an update. */
async function tidy(context: UpdateContext, operation: Operation): Promise<void> {
  try {
    const { releases, images, bytes } = await context.prune((await context.engine.activated()).values());
    if (releases + images === 0 && bytes === 0) return;
    const mebibytes = Math.round(bytes / 2 ** 20);
    operation.line(context.tell("update.pruned", { releases, images, mebibytes }));
  } catch (error) {
    operation.line(context.tell("update.notPruned", { cause: (error as Error).message }));
  }
}

export type RollbackRequest = Omit<RequestOf<"rollback">, "verb">;

/**
 * The way back of each client: the release before the one that it runs, as its server tells.
 * @throws FleetError of the names and options, `NO_FORMER_RELEASE`, `RELEASE_NOT_HELD`, `MIGRATION_BREAKING`, `VOLUMES_CHANGED`,
 * of a connection
 */
export async function planRollback(
  context: UpdateContext & { former(client: ClientConfig): Promise<string | undefined> },
  request: RollbackRequest,
): Promise<Plan> {
  const { file, engine, releases } = context;
  const config = await file.read();
  const chosen = chooseClients(config.clients, request, file.stack);
  const used = new Map<string, Release>();
  const targets = new Map<string, string>();
  const asked = await Promise.all(
    chosen.map(async (client) => {
      const place = { client: client.name, step: "rollback" };
      const id = await context.former(client);
      if (id === undefined) throw new FleetError("NO_FORMER_RELEASE", {}, place);
      const release = await releases.read(id);
      if (!release) throw new FleetError("RELEASE_NOT_HELD", { release: id, store: releases.folder }, place);
      return release;
    }),
  );
  for (const [index, { name }] of chosen.entries()) {
    const release = asked[index];
    if (!release) continue;
    targets.set(name, release.id);
    used.set(release.id, release);
  }
  const running = await engine.activated();
  await refuseImpossible(releases, running, targets);
  return {
    running,
    releases: used,
    rollout: {
      waves: planWaves(chosen, request.waves),
      targets,
      done: new Set(),
      parallel: request.parallel,
      soakSeconds: request.soakSeconds,
      withoutCanary: request.withoutCanary,
      allowedFailures: allowedFailures(request.maxFailures, chosen.length),
      message: "Roll back",
    },
  };
}

/**
 * What a server would refuse, is refused for all before any is touched: a release before a breaking migration cannot run with
 * the schema behind it, and one with another volume would begin with nothing.
 * @throws FleetError `MIGRATION_BREAKING`, `VOLUMES_CHANGED`
 */
async function refuseImpossible(
  { kept }: Releases,
  running: ReadonlyMap<string, string>,
  targets: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [client, id] of targets) {
    const from = running.get(client);
    if (from === undefined || from === id) continue;
    const [former, next] = [await kept(from), await kept(id)];
    // What the store does not hold, the server knows.
    if (!former || !next) continue;
    const { lacking, emptied } = releaseChanges(former, next);
    const values = { release: id, running: from };
    if (lacking.length > 0)
      throw new FleetError("MIGRATION_BREAKING", { ...values, migrations: lacking.join(", ") }, { client });
    if (emptied.length > 0)
      throw new FleetError("VOLUMES_CHANGED", { ...values, services: emptied.join(", ") }, { client });
  }
}

/**
 * What an operation that was cut, cancelled or stopped has left: the same targets, without the clients that are done, be it
 * by one of the `others`.
 * @throws FleetError `OPERATION_NOT_RESUMABLE`, `OPERATION_OVERTAKEN`, `RELEASE_NOT_HELD`, of the options that were kept
 */
export async function planResume(
  context: UpdateContext,
  operation: OperationView,
  others: readonly OperationView[],
): Promise<Plan> {
  const { id, verb, targets, waves, request, clients } = operation;
  const { file, engine, releases } = context;
  if (waves.length === 0)
    throw new FleetError("OPERATION_NOT_RESUMABLE", {
      id,
      verb,
      cause: "phrase.noClients",
    });
  const config = await file.read();
  const done = new Set(
    clients.flatMap(({ client, outcome }) => (outcome === "done" || outcome === "unchanged" ? [client] : [])),
  );
  for (const client of caughtUpLater(operation, others)) done.add(client);
  const isLeft = (name: string) => config.clients.some((client) => client.name === name && !client.detached);
  const used = new Map<string, Release>();
  for (const [name, release] of Object.entries(targets)) {
    if (done.has(name) || used.has(release)) continue;
    const found = await releases.read(release);
    if (!found)
      throw new FleetError("RELEASE_NOT_HELD", { release, store: releases.folder }, { client: name });
    used.set(release, found);
  }
  const asked = readRequest(verb, request);
  if (asked?.verb !== "update" && asked?.verb !== "rollback")
    throw new FleetError("OPERATION_NOT_RESUMABLE", { id, verb, cause: "phrase.unreadable" });
  return {
    running: await engine.activated(),
    releases: used,
    rollout: {
      waves: waves.map((names) => names.filter(isLeft)).filter((names) => names.length > 0),
      targets: new Map(Object.entries(targets)),
      done,
      parallel: asked.parallel,
      withoutCanary: asked.withoutCanary,
      soakSeconds: asked.soakSeconds,
      allowedFailures: allowedFailures(asked.maxFailures, Object.keys(targets).length),
      message: `Go on with ${verb} ${id}`,
    },
  };
}

function describeParts({
  services,
  migration,
}: {
  services: readonly string[];
  migration?: string | undefined;
}): string {
  return [...services, ...(migration === undefined ? [] : [migration])].join(", ");
}
