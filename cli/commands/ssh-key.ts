/** @module `ssh-key`: shows the fleet's key, and replaces it on every server. */
import { ensureAgent } from "../../outside/agent.ts";
import { loadFleetKeys } from "../../outside/fleet-agent.ts";
import { fleetStacks } from "../../outside/fleet-stacks.ts";
import { fingerprintOf } from "../../outside/host-key.ts";
import { proveKey } from "../../outside/key-proof.ts";
import { heldKeys, masterStack } from "../../outside/master-stack.ts";
import { openSsh } from "../../outside/ssh.ts";
import { targetOf } from "../../core/config/stack.ts";
import { describe, FleetError } from "../../core/errors.ts";
import type { HeldKey } from "../../core/keys/rotation.ts";
import { text } from "../../core/messages/catalogue.ts";
import {
  beginRotation,
  endRotation,
  type RotateContext,
  type Rotation,
  rotateServers,
} from "../../verbs/rotate-key.ts";
import { confirm } from "../ask.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { integer } from "../options.ts";
import { table } from "../table.ts";

export interface KeyOptions {
  /** Stack that holds the key. */
  readonly stack?: string;
  readonly json?: boolean;
}

export interface RotateOptions extends KeyOptions {
  readonly parallel: string;
  readonly yes?: boolean;
  readonly wait: boolean;
  readonly commit: boolean;
  /** Id of the operation that it goes on with. */
  readonly resumes?: string;
}

export async function show(console: Console, options: KeyOptions): Promise<void> {
  const stack = masterOf(options);
  const held = await heldKeys(stack);
  const { declared } = masterStack(stack, { commit: false, onProgress: console.progress });
  const wanted = await declared().catch((error: unknown) => {
    // Who only looks need not have the file.
    if (error instanceof FleetError && error.code === "STACK_FILE_MISSING") return undefined;
    throw error;
  });
  const { fleets, unknown } = await fleetStacks(stack);
  const keys = held.map((key) => ({
    ...key,
    fingerprint: fingerprintOf(key.publicKey),
    state: stateOf(key, held, wanted),
  }));
  const inForce = fleets.map(({ stack: name, config }) => ({
    stack: name,
    clients: config.clients.map((client) => client.name),
  }));
  if (options.json) return console.json({ stack, keys, fleets: inForce, unknownStacks: unknown });
  const t = (key: Parameters<typeof text>[0]) => text(key, console.language);
  console.print(
    table(
      [t("column.key"), t("column.state"), t("column.fingerprint")],
      keys.map(({ generation, state, fingerprint }) => [
        String(generation),
        t(`sshKey.${state}`),
        fingerprint,
      ]),
    ),
  );
  for (const { publicKey } of keys) console.print(publicKey);
  for (const { stack: name, clients } of inForce) console.print(`${name}: ${clients.join(", ") || "-"}`);
}

export async function rotate(console: Console, options: RotateOptions): Promise<void> {
  const stack = masterOf(options);
  const parallel = integer("--parallel", options.parallel, 1, 200);
  const found = await fleetStacks(stack);
  const count = found.fleets.reduce((sum, { config }) => sum + config.clients.length, 0);
  if (!options.yes && !(await confirm(console, text("sshKey.question", console.language, { count }))))
    throw new FleetError("NOT_CONFIRMED_ROLLOUT");
  const context = await rotateContext(console, stack, options.commit);
  const left: string[] = [...found.unknown];
  const failures: unknown[] = [];
  let rotation: Rotation | undefined;
  // A master stack that serves no fleet yet has its own line.
  const works = found.fleets.length > 0 ? found.fleets : [{ stack, config: { clients: [] } }];
  for (const [index, fleet] of works.entries()) {
    const isLast = index === works.length - 1;
    const { resumes, wait, json = false } = options;
    const request = { stack, parallel: options.parallel, commit: options.commit };
    await asOperation(
      console,
      fleet.stack,
      { verb: "ssh-key rotate", request, wait, json, ...(resumes === undefined ? {} : { resumes }) },
      async (operation) => {
        const say = (line: string) => operation.line(line);
        if (index === 0) rotation = await beginRotation(context, say);
        if (!rotation) return;
        const targets = fleet.config.clients.map(targetOf);
        left.push(...(await rotateServers(context, operation, rotation, targets, parallel)));
        if (isLast) left.push(...(await joinedSince(stack, works)));
        if (left.length > 0) say(context.tell("sshKey.kept", { left: left.join(", ") }));
        else if (isLast) await endRotation(context, rotation, say);
      },
    ).catch((error: unknown) => {
      if (!(error instanceof FleetError && /^CLIENTS_/.test(error.code))) throw error;
      failures.push(error);
    });
    if (!rotation) return;
  }
  if (failures.length > 0) throw failures[0];
  if (found.unknown.length > 0)
    throw new FleetError("KEY_STACKS_UNKNOWN", { stacks: found.unknown.join(", "), folder: found.folder });
}

async function rotateContext(console: Console, stack: string, commit: boolean): Promise<RotateContext> {
  const socket = await ensureAgent();
  // Connections of this run are the fleet's own, whatever agent the terminal has.
  process.env.SSH_AUTH_SOCK = socket;
  return {
    master: masterStack(stack, { commit, onProgress: console.progress }),
    agent: { load: () => loadFleetKeys(socket, stack) },
    openSsh,
    prove: proveKey,
    fingerprint: fingerprintOf,
    describe: (error) => describe(error, console.language),
    tell: (key, values) => text(key, console.language, values),
  };
}

/** Clients that were declared while servers were brought over: nobody knows yet which key they got. */
async function joinedSince(
  stack: string,
  works: readonly { readonly config: { readonly clients: readonly { readonly name: string }[] } }[],
): Promise<string[]> {
  const known = new Set(works.flatMap(({ config }) => config.clients.map(({ name }) => name)));
  const { fleets } = await fleetStacks(stack);
  const declared = fleets.flatMap(({ config }) => config.clients.map(({ name }) => name));
  return declared.filter((name) => !known.has(name));
}

function masterOf({ stack }: KeyOptions): string {
  return stack ?? process.env.GEOCLIC_MASTER_STACK ?? "master";
}

type KeyState = "current" | "old" | "new" | "dropped";

function stateOf(key: HeldKey, held: readonly HeldKey[], declared: readonly number[] | undefined): KeyState {
  if (declared && !declared.includes(key.generation)) return "dropped";
  if (held.length === 1) return "current";
  return key === held.at(-1) ? "new" : "old";
}
