/**
 * @module Brings clients to releases wave by wave: pins them in the stack file, converges, proves, puts back what failed.
 * At any moment the stack file says what each client runs, so that a run that is cut can be gone on with, or left.
 */
import pMap from "p-map";
import type { ClientConfig } from "../../core/config/stack.ts";
import type { Engine, EngineRun, ResourceChange, ResourceFailure } from "../../core/engine/port.ts";
import { FleetError } from "../../core/errors.ts";
import type { TextKey, Values } from "../../core/messages/catalogue.ts";
import type { Outcome } from "../../core/operation/journal.ts";
import type { StackFile } from "../../core/registry/port.ts";
import { leftOf } from "../../core/rollout/left.ts";
import { gather, pin, pinOf, unpin } from "../../core/rollout/pins.ts";
import type { Operation } from "../operation.ts";
import { atOnce, lastingProblem, soak } from "./watch.ts";

export interface RolloutContext {
  readonly file: StackFile;
  readonly engine: Engine;
  /** Why a client's server cannot be reached by SSH; `undefined` when it can. */
  unreached(client: ClientConfig): Promise<FleetError | undefined>;
  /** What is wrong with a town, seen from outside: its health, or the release that it shows. */
  problem(client: ClientConfig, release: string): Promise<string | undefined>;
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** A failure in the reader's language. */
  describe(error: FleetError): string;
  tell(key: TextKey, values?: Values): string;
}

export interface Rollout {
  /** Names by wave; canaries first. */
  readonly waves: readonly (readonly string[])[];
  /** Release by client. */
  readonly targets: ReadonlyMap<string, string>;
  /** Clients that a former run of the same operation brought there. */
  readonly done: ReadonlySet<string>;
  /** Resources that are worked on at once. */
  readonly parallel?: number | undefined;
  /** Seconds that a wave must stay healthy. */
  readonly soakSeconds: number;
  /** Failures that are borne; a canary's never is. */
  readonly allowedFailures: number;
  /** Go on though a canary could not be proven. */
  readonly withoutCanary?: boolean | undefined;
  /** Of the commits of the stack file. */
  readonly message: string;
}

/** A client that is not where it should be, and why. */
interface Lost {
  readonly client: ClientConfig;
  readonly failure: Pick<ResourceFailure, "code" | "step" | "message">;
}

/** @throws FleetError `THRESHOLD_PASSED`, `CANARY_UNPROVEN`, `OTHERS_TOUCHED`, `CANCELLED`, of git, of the engine */
export async function rollOut(
  context: RolloutContext,
  operation: Operation,
  rollout: Rollout,
): Promise<void> {
  const { file, engine } = context;
  const { waves, targets } = rollout;
  operation.plan(waves, Object.fromEntries(targets));
  await file.checkEditable();
  await engine.idle((holder) => operation.line(holder));
  const began = await engine.activated();
  const before = await file.read();
  const canaries = new Set(before.clients.filter(({ canary }) => canary).map(({ name }) => name));
  const told = new Set<string>();
  const failed = new Set<string>();
  /** Seen healthy on their release. */
  const proven = new Set<string>();
  /** What runs there may differ from what the state says, until a run reaches them again. */
  const unsettled = new Set<string>();
  try {
    for (const [index, wave] of waves.entries()) {
      operation.refuseCancelled();
      const left = await toUpdate(wave);
      if (left.length > 0) {
        const names = left.map(({ name }) => name).join(", ");
        operation.wave(
          index + 1,
          left.map(({ name }) => name),
        );
        operation.line(
          context.tell("update.wave", { number: index + 1, count: waves.length, clients: names }),
        );
        await bring(left);
        refuseMore(index);
        await watch(left.filter(({ name }) => proven.has(name)));
      }
      refuseMore(index);
    }
    const { clients } = await file.read();
    if (clients.some(({ release }) => release !== undefined))
      await file.edit((editor) => {
        const entries = { release: editor.value("release") as string | undefined, clients };
        gather(editor, entries);
      }, rollout.message);
  } finally {
    for (const name of waves.flat()) if (!told.has(name)) tell(name, "skipped");
    await tellStanding();
  }

  function tell(
    name: string,
    outcome: Outcome,
    values: { release?: string | undefined; cause?: string } = {},
  ) {
    told.add(name);
    operation.client(name, outcome, values);
    if (outcome === "done" || outcome === "unchanged") proven.add(name);
    else proven.delete(name);
    if (outcome === "failed") failed.add(name);
  }

  /** Clients of a wave that are reached and do not run their release yet; the others are told. */
  async function toUpdate(wave: readonly string[]): Promise<ClientConfig[]> {
    const config = await file.read();
    const found = await pMap(
      wave,
      async (name) => {
        const client = config.clients.find((each) => each.name === name);
        const target = targets.get(name) ?? "";
        if (!client || client.detached) {
          tell(name, "skipped", { cause: context.tell(client ? "update.detached" : "update.gone") });
          return [];
        }
        const isThere =
          rollout.done.has(name) || (began.get(name) === target && pinOf(config, client) === target);
        if (isThere && (await context.problem(client, target)) === undefined) {
          tell(name, "unchanged", { release: target });
          return [];
        }
        const away = await context.unreached(client);
        if (!away) return [client];
        tell(name, "offline", { release: began.get(name), cause: context.describe(away) });
        return [];
      },
      { concurrency: atOnce },
    );
    return found.flat();
  }

  /** Updates a wave: each of its clients is told with its outcome, whatever happens; who failed is put back. */
  async function bring(wave: readonly ClientConfig[]): Promise<void> {
    const names = wave.map(({ name }) => name);
    await pinAll(new Map(names.map((name) => [name, targets.get(name) ?? ""])));
    const touched = await previewed(wave);
    const begun = new Set<string>();
    let run: EngineRun | undefined;
    let broken: unknown;
    try {
      run = await up(operation.cancelFile, begun);
    } catch (error) {
      if (begun.size === 0) return await leave(wave, error);
      broken = error;
    }
    const reached = await stateOf(wave);
    const lost: Lost[] = [];
    const there: ClientConfig[] = [];
    for (const client of wave) {
      const { name } = client;
      const failure = run?.failures.find((each) => each.client === name);
      const left = run ? leftOf(name, touched, run.done) : [];
      if (failure) lost.push({ client, failure });
      else if (reached.get(name) !== targets.get(name) || left.length > 0)
        lost.push({ client, failure: { step: "", message: notConverged(broken, left) } });
      else there.push(client);
    }
    lost.push(...(await unseen(there)));
    const ill = new Set(lost.map(({ client }) => client));
    for (const client of there)
      if (!ill.has(client)) tell(client.name, "done", { release: targets.get(client.name) });
    await putBack(lost);
    if (broken !== undefined) throw broken;
  }

  /** What an `up` would touch, of the wave's clients only; the pins go back where it cannot be told, or is more. */
  async function previewed(wave: readonly ClientConfig[]): Promise<readonly ResourceChange[]> {
    const names = wave.map(({ name }) => name);
    try {
      const touched = await engine.preview();
      const others = [...new Set(touched.map(({ client }) => client))].filter(
        (client) => client !== undefined && !names.includes(client) && !unsettled.has(client),
      );
      if (others.length > 0) throw new FleetError("OTHERS_TOUCHED", { others: others.join(", ") });
      return touched;
    } catch (error) {
      return await leave(wave, error);
    }
  }

  /** Nothing was begun: the pins go back, and the error goes on. */
  async function leave(wave: readonly ClientConfig[], error: unknown): Promise<never> {
    const trouble = await pinBack(wave.map(({ name }) => name));
    const cause = said(error);
    for (const { name } of wave)
      tell(name, "skipped", {
        release: began.get(name),
        cause: trouble ? pinLeft(cause, trouble, name) : cause,
      });
    throw error;
  }

  /** The state after a run; where it cannot be read nobody knows what the clients of the wave run. */
  async function stateOf(wave: readonly ClientConfig[]): Promise<ReadonlyMap<string, string>> {
    try {
      return await engine.activated();
    } catch (error) {
      const cause = context.tell("update.unknown", { cause: said(error) });
      for (const { name } of wave) tell(name, "failed", { cause });
      throw error;
    }
  }

  function said(error: unknown): string {
    return error instanceof FleetError ? context.describe(error) : String(error);
  }

  function notConverged(broken: unknown, left: readonly string[]): string {
    if (broken !== undefined) return said(broken);
    if (left.length === 0) return context.tell("outcome.failed");
    return context.describe(new FleetError("NOT_CONVERGED", { steps: left.join(", ") }));
  }

  /** Those that the state says are there, and that are not seen so from outside. */
  async function unseen(clients: readonly ClientConfig[]): Promise<Lost[]> {
    const seen = await pMap(
      clients,
      async (client) => {
        const cause = await lastingProblem(context, client, targets.get(client.name) ?? "");
        if (cause === undefined) return [];
        const message = context.describe(new FleetError("TOWN_UNHEALTHY", { cause, name: client.name }));
        return [{ client, failure: { step: "", message } }];
      },
      { concurrency: atOnce },
    );
    return seen.flat();
  }

  async function up(cancelFile?: string, begun?: Set<string>): Promise<EngineRun> {
    return engine.up({
      ...(rollout.parallel === undefined ? {} : { parallel: rollout.parallel }),
      ...(cancelFile === undefined ? {} : { cancelFile }),
      onStep: (client, step) => {
        begun?.add(client);
        operation.step(client, step);
      },
      onStepEnd: operation.stepEnd,
      onLine: operation.line,
    });
  }

  async function pinAll(releases: ReadonlyMap<string, string>): Promise<void> {
    const config = await file.read();
    await file.edit((editor) => pin(editor, config, releases, began), rollout.message);
  }

  /**
   * What ran there is declared again; a client that never ran anything gets what it was declared with.
   * @returns why that could not be written
   */
  async function pinBack(names: readonly string[]): Promise<string | undefined> {
    try {
      const config = await file.read();
      await file.edit((editor) => {
        const former = names.flatMap((name) =>
          began.has(name) ? [[name, began.get(name) ?? ""] as const] : [],
        );
        pin(editor, config, new Map(former), began);
        unpin(
          editor,
          before,
          names.filter((name) => !began.has(name)),
        );
      }, rollout.message);
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      // It is written, though not in git: that is what counts for the next run.
      if (error.code !== "COMMIT_FAILED") return context.describe(error);
      operation.line(context.describe(error));
    }
  }

  function pinLeft(cause: string, problem: string, name: string): string {
    const release = targets.get(name) ?? "";
    return context.describe(new FleetError("PIN_LEFT", { cause, problem, release, name }));
  }

  /** Who ran something gets it back, file, state and server; each is told with what was proven of it. */
  async function putBack(lost: readonly Lost[]): Promise<void> {
    if (lost.length === 0) return;
    const names = lost.map(({ client }) => client.name);
    for (const name of names) unsettled.add(name);
    const unwritten = await pinBack(names);
    const troubles = new Map<string, string>();
    // With the pin still there, or nothing to go back to, a run would only try the same again.
    if (unwritten === undefined && names.some((name) => began.has(name))) {
      try {
        const { failures } = await up();
        for (const { client, message } of failures) if (client) troubles.set(client, message);
      } catch (error) {
        for (const name of names) troubles.set(name, said(error));
      }
    }
    await pMap(
      lost,
      ({ client, failure }) => tellLost(client, failure, unwritten, troubles.get(client.name)),
      { concurrency: atOnce },
    );
    // The run touches whoever was not settled, also a client that was done before.
    for (const [name, cause] of troubles)
      if (!names.includes(name) && proven.has(name))
        tell(name, "failed", { release: targets.get(name), cause });
  }

  async function tellLost(
    client: ClientConfig,
    failure: Lost["failure"],
    unwritten: string | undefined,
    trouble: string | undefined,
  ): Promise<void> {
    const { name } = client;
    const former = began.get(name);
    let cause = failure.message;
    if (unwritten !== undefined) cause = pinLeft(cause, unwritten, name);
    if (trouble !== undefined && former !== undefined)
      cause = context.describe(new FleetError("UNDO_FAILED", { cause, problem: trouble }));
    tell(name, outcomeOf(failure), { release: former, cause: await withProof(client, former, cause) });
  }

  function outcomeOf({ code = "", step }: Lost["failure"]): Outcome {
    if (operation.cancelled.aborted || code === "CANCELLED") return "cancelled";
    // Once the activation began, nobody knows: it is the gate that is unproven.
    const isAway = ["SSH_UNREACHABLE", "SSH_TIMEOUT"].includes(code) && step !== "activation";
    return isAway ? "offline" : "failed";
  }

  /** The cause, and whether the former release serves. */
  async function withProof(client: ClientConfig, former: string | undefined, cause: string): Promise<string> {
    if (former === undefined) return cause;
    const problem = await lastingProblem(context, client, former);
    if (problem === undefined) return `${cause} — ${context.tell("update.undone", { release: former })}`;
    return context.describe(new FleetError("UNDO_UNPROVEN", { cause, problem, name: client.name }));
  }

  async function watch(wave: readonly ClientConfig[]): Promise<void> {
    const seconds = rollout.soakSeconds;
    if (seconds === 0 || wave.length === 0) return;
    operation.line(context.tell("update.soaking", { seconds }));
    const towns = wave.map((client) => ({ client, release: targets.get(client.name) ?? "" }));
    await soak(context, towns, seconds, {
      onLook: () => operation.refuseCancelled(),
      onIll: (ill) =>
        putBack(
          [...ill].map(([client, { bad, total, problem = "" }]) => {
            const values = { seconds, bad, total, cause: problem, name: client.name };
            return {
              client,
              failure: { step: "", message: context.describe(new FleetError("SOAK_FAILED", values)) },
            };
          }),
        ),
    });
  }

  function refuseMore(index: number): void {
    operation.refuseCancelled();
    const later = waves.slice(index + 1).flat();
    if (later.length === 0) return;
    const rest = { left: later.join(", "), operation: operation.id };
    if (failed.size > rollout.allowedFailures || [...failed].some((name) => canaries.has(name)))
      throw new FleetError("THRESHOLD_PASSED", {
        failed: failed.size,
        allowed: rollout.allowedFailures,
        ...rest,
      });
    const asked = waves.slice(0, index + 1).flat();
    const unproven = asked.filter((name) => canaries.has(name) && !proven.has(name));
    if (unproven.length > 0 && !rollout.withoutCanary)
      throw new FleetError("CANARY_UNPROVEN", { canaries: unproven.join(", "), ...rest });
  }

  /** The pins are commits that nobody else has yet. */
  async function tellStanding(): Promise<void> {
    const standing = await file.standing().catch(() => undefined);
    if (!standing || standing.ahead === 0) return;
    const { upstream, ahead, behind } = standing;
    operation.line(
      context.tell(behind > 0 ? "update.unpushedBehind" : "update.unpushed", { upstream, ahead, behind }),
    );
  }
}
