/**
 * @module Brings clients to releases wave by wave: pins them in the stack file, converges, proves, puts back what failed.
 * At any moment the stack file says what each client runs, so that a run that is cut can be gone on with, or left.
 */
import type { ClientConfig } from "../core/config/stack.ts";
import type { Engine, EngineRun, ResourceFailure } from "../core/engine/port.ts";
import { FleetError } from "../core/errors.ts";
import type { TextKey, Values } from "../core/messages/catalogue.ts";
import type { StackFile } from "../core/registry/port.ts";
import { gather, pin, pinOf } from "../core/rollout/pins.ts";
import type { Operation } from "./operation.ts";

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
  /** Seconds that a wave must stay healthy before the next one. */
  readonly soakSeconds: number;
  /** Failures that are borne; a canary's never is. */
  readonly allowedFailures: number;
  /** Of the commits of the stack file. */
  readonly message: string;
}

const soakEverySeconds = 5;
const proofSeconds = 60;

/** @throws FleetError `THRESHOLD_PASSED`, `OTHERS_TOUCHED`, `CANCELLED`, of git, of the engine */
export async function rollOut(
  context: RolloutContext,
  operation: Operation,
  rollout: Rollout,
): Promise<void> {
  const { file, engine } = context;
  const { waves, targets } = rollout;
  operation.plan(waves, Object.fromEntries(targets));
  await engine.idle((holder) => operation.line(holder));
  const began = await engine.activated();
  const canaries = new Set(
    (await file.read()).clients.filter(({ canary }) => canary).map(({ name }) => name),
  );
  const failed: string[] = [];
  /** What runs there may differ from what the state says, until a run reaches them again. */
  const unsettled = new Set<string>();
  for (const [index, wave] of waves.entries()) {
    operation.refuseCancelled();
    const left = await toUpdate(wave);
    if (left.length > 0) {
      const names = left.map(({ name }) => name);
      operation.wave(index + 1, names);
      operation.line(
        context.tell("update.wave", { number: index + 1, count: waves.length, clients: names.join(", ") }),
      );
      const lost = await updateWave(left);
      failed.push(...lost);
      refuseMore(index);
      const isLast = index === waves.length - 1;
      if (!isLast) failed.push(...(await soak(left.filter(({ name }) => !lost.includes(name)))));
    }
    refuseMore(index);
  }
  const { clients } = await file.read();
  if (clients.some(({ release }) => release !== undefined))
    await file.edit((editor) => {
      const entries = { release: editor.value("release") as string | undefined, clients };
      gather(editor, entries);
    }, rollout.message);

  /** Clients of a wave that are reached and do not run their release yet. */
  async function toUpdate(wave: readonly string[]): Promise<ClientConfig[]> {
    const config = await file.read();
    const found = wave.flatMap((name) => config.clients.filter((client) => client.name === name));
    const asked = await Promise.all(
      found.map(async (client) => {
        if (rollout.done.has(client.name)) return "done" as const;
        const release = targets.get(client.name) ?? "";
        const isThere = began.get(client.name) === release && pinOf(config, client) === release;
        if (isThere && (await context.problem(client, release)) === undefined) return "unchanged" as const;
        return context.unreached(client);
      }),
    );
    return found.filter((client, index) => {
      const answer = asked[index];
      const release = began.get(client.name);
      if (answer === "done")
        operation.client(client.name, "unchanged", { release: targets.get(client.name) });
      else if (answer === "unchanged") operation.client(client.name, "unchanged", { release });
      else if (answer) operation.client(client.name, "offline", { release, cause: context.describe(answer) });
      return answer === undefined;
    });
  }

  /** @returns names of those that failed, each told with its cause and put back */
  async function updateWave(wave: readonly ClientConfig[]): Promise<string[]> {
    const names = wave.map(({ name }) => name);
    await pinAll(new Map(names.map((name) => [name, targets.get(name) ?? ""])));
    const touched = await engine.preview();
    const others = [...new Set(touched.map(({ client }) => client))].filter(
      (client) => client !== undefined && !names.includes(client) && !unsettled.has(client),
    );
    if (others.length > 0) {
      await pinBack(names);
      throw new FleetError("OTHERS_TOUCHED", { others: others.join(", ") });
    }
    const run = await up(operation.cancelFile);
    const reached = await engine.activated();
    const lost: { client: ClientConfig; failure: ResourceFailure | undefined }[] = [];
    for (const client of wave) {
      const { name } = client;
      const failure = run.failures.find((each) => each.client === name);
      if (failure || reached.get(name) !== targets.get(name)) lost.push({ client, failure });
      else operation.client(name, "done", { release: targets.get(name) });
    }
    if (lost.length > 0) await putBack(lost.map(({ client }) => client));
    const outcomes = await Promise.all(lost.map(({ client, failure }) => tellLost(client, failure)));
    return lost.flatMap(({ client }, index) => (outcomes[index] === "failed" ? [client.name] : []));
  }

  async function up(cancelFile?: string): Promise<EngineRun> {
    return engine.up({
      ...(rollout.parallel === undefined ? {} : { parallel: rollout.parallel }),
      ...(cancelFile === undefined ? {} : { cancelFile }),
      onStep: operation.step,
      onStepEnd: operation.stepEnd,
      onLine: operation.line,
    });
  }

  async function pinAll(releases: ReadonlyMap<string, string>): Promise<void> {
    const config = await file.read();
    await file.edit((editor) => pin(editor, config, releases, began), rollout.message);
  }

  async function pinBack(names: readonly string[]): Promise<void> {
    await pinAll(new Map(names.flatMap((name) => (began.has(name) ? [[name, began.get(name) ?? ""]] : []))));
  }

  /** What runs there is declared again, and so is what the servers were told in between. */
  async function putBack(clients: readonly ClientConfig[]): Promise<void> {
    for (const { name } of clients) unsettled.add(name);
    await pinBack(clients.map(({ name }) => name));
    await up();
  }

  async function tellLost(
    client: ClientConfig,
    failure: ResourceFailure | undefined,
  ): Promise<"failed" | "offline" | "cancelled"> {
    const { name } = client;
    const former = began.get(name);
    const cause = failure?.message ?? context.tell("outcome.failed");
    if (operation.cancelled.aborted || failure?.code === "CANCELLED") {
      operation.client(name, "cancelled", { release: former, cause });
      return "cancelled";
    }
    const isAway =
      ["SSH_UNREACHABLE", "SSH_TIMEOUT"].includes(failure?.code ?? "") && failure?.step !== "activation";
    if (isAway) {
      operation.client(name, "offline", { release: former, cause });
      return "offline";
    }
    operation.client(name, "failed", { release: former, cause: await proven(client, former, cause) });
    return "failed";
  }

  /** The cause, and whether the former release serves. */
  async function proven(client: ClientConfig, former: string | undefined, cause: string): Promise<string> {
    if (former === undefined) return cause;
    const problem = await lasting(client, former);
    if (problem === undefined) return `${cause} — ${context.tell("update.undone", { release: former })}`;
    return context.describe(new FleetError("UNDO_UNPROVEN", { cause, problem, name: client.name }));
  }

  /** A problem that is still there after a minute. */
  async function lasting(client: ClientConfig, release: string): Promise<string | undefined> {
    const end = context.now() + proofSeconds * 1000;
    for (;;) {
      const problem = await context.problem(client, release);
      if (problem === undefined || context.now() >= end) return problem;
      await context.sleep(1000);
    }
  }

  /** @returns names of those that did not stay healthy, put back */
  async function soak(wave: readonly ClientConfig[]): Promise<string[]> {
    if (rollout.soakSeconds === 0 || wave.length === 0) return [];
    operation.line(context.tell("update.soaking", { seconds: rollout.soakSeconds }));
    const end = context.now() + rollout.soakSeconds * 1000;
    const problems = new Map<string, string>();
    while (context.now() < end) {
      await context.sleep(Math.min(soakEverySeconds * 1000, end - context.now()));
      operation.refuseCancelled();
      for (const client of wave) {
        const problem = await context.problem(client, targets.get(client.name) ?? "");
        if (problem === undefined) problems.delete(client.name);
        else problems.set(client.name, problem);
      }
    }
    const sick = wave.filter(({ name }) => problems.has(name));
    if (sick.length === 0) return [];
    await putBack(sick);
    for (const client of sick) {
      const { name } = client;
      const values = { seconds: rollout.soakSeconds, cause: problems.get(name) ?? "", name };
      const cause = context.describe(new FleetError("SOAK_FAILED", values));
      operation.client(name, "failed", {
        release: began.get(name),
        cause: await proven(client, began.get(name), cause),
      });
    }
    return sick.map(({ name }) => name);
  }

  function refuseMore(index: number): void {
    operation.refuseCancelled();
    const later = waves.slice(index + 1).flat();
    const isTooMuch = failed.length > rollout.allowedFailures || failed.some((name) => canaries.has(name));
    if (later.length === 0 || !isTooMuch) return;
    throw new FleetError("THRESHOLD_PASSED", {
      failed: failed.length,
      allowed: rollout.allowedFailures,
      left: later.join(", "),
      operation: operation.id,
    });
  }
}
