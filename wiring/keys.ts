/** @module The fleet's key: what the master stack holds, and its rotation over every fleet. */
import { targetOf } from "../core/config/stack.ts";
import { describe, FleetError } from "../core/errors.ts";
import type { HeldKey } from "../core/keys/rotation.ts";
import { text } from "../core/messages/catalogue.ts";
import type { Audience } from "../core/ports.ts";
import { ensureAgent } from "../outside/agent.ts";
import { loadFleetKeys } from "../outside/fleet-agent.ts";
import { fleetStacks } from "../outside/fleet-stacks.ts";
import { fingerprintOf } from "../outside/host-key.ts";
import { proveKey } from "../outside/key-proof.ts";
import { heldKeys, masterStack } from "../outside/master-stack.ts";
import { openSsh } from "../outside/ssh.ts";
import type { Operation } from "../verbs/operation.ts";
import {
  beginRotation,
  endRotation,
  type RotateContext,
  type Rotation,
  rotateServers,
} from "../verbs/rotate-key.ts";

export type KeyState = "current" | "old" | "new" | "dropped";

export interface Keys {
  readonly keys: readonly (HeldKey & { readonly fingerprint: string; readonly state: KeyState })[];
  /** Towns by the fleet that the key is in force for. */
  readonly fleets: readonly { readonly stack: string; readonly clients: readonly string[] }[];
  /** Stacks whose file is not in the folder. */
  readonly unknown: readonly string[];
}

/** `stack`: the one that holds the key. */
export async function readKeys(stack: string, { progress }: Audience): Promise<Keys> {
  const held = await heldKeys(stack);
  const { declared } = masterStack(stack, { commit: false, onProgress: progress });
  const wanted = await declared().catch((error: unknown) => {
    // Who only looks need not have the file.
    if (error instanceof FleetError && error.code === "STACK_FILE_MISSING") return undefined;
    throw error;
  });
  const { fleets, unknown } = await fleetStacks(stack);
  return {
    keys: held.map((key) => ({
      ...key,
      fingerprint: fingerprintOf(key.publicKey),
      state: stateOf(key, held, wanted),
    })),
    fleets: fleets.map(({ stack: name, config }) => ({
      stack: name,
      clients: config.clients.map((client) => client.name),
    })),
    unknown,
  };
}

export interface FleetRotation {
  /** Towns whose servers would be brought over. */
  readonly count: number;
  /** Brings every fleet over; `operate` runs each one's part as an operation of its stack. */
  rotate(
    parallel: number,
    operate: (stack: string, work: (operation: Operation) => Promise<void>) => Promise<void>,
  ): Promise<void>;
}

/** @throws FleetError `KEY_STACKS_UNKNOWN` at the end, where a fleet's file is not here; as `rotateServers` */
export async function openRotation(
  audience: Audience,
  stack: string,
  commit: boolean,
): Promise<FleetRotation> {
  const found = await fleetStacks(stack);
  return {
    count: found.fleets.reduce((sum, { config }) => sum + config.clients.length, 0),
    async rotate(parallel, operate) {
      const context = await rotateContext(audience, stack, commit);
      const left: string[] = [...found.unknown];
      const failures: unknown[] = [];
      let rotation: Rotation | undefined;
      // A master stack that serves no fleet yet has its own line.
      const works = found.fleets.length > 0 ? found.fleets : [{ stack, config: { clients: [] } }];
      for (const [index, fleet] of works.entries()) {
        const isLast = index === works.length - 1;
        await operate(fleet.stack, async (operation) => {
          const say = (line: string) => operation.line(line);
          if (index === 0) rotation = await beginRotation(context, say);
          if (!rotation) return;
          const targets = fleet.config.clients.map(targetOf);
          left.push(...(await rotateServers(context, operation, rotation, targets, parallel)));
          if (isLast) left.push(...(await joinedSince(stack, works)));
          if (left.length > 0) say(context.tell("sshKey.kept", { left: left.join(", ") }));
          else if (isLast) await endRotation(context, rotation, say);
        }).catch((error: unknown) => {
          if (!(error instanceof FleetError && /^CLIENTS_/.test(error.code))) throw error;
          failures.push(error);
        });
        if (!rotation) return;
      }
      if (failures.length > 0) throw failures[0];
      if (found.unknown.length > 0)
        throw new FleetError("KEY_STACKS_UNKNOWN", {
          stacks: found.unknown.join(", "),
          folder: found.folder,
        });
    },
  };
}

async function rotateContext(audience: Audience, stack: string, commit: boolean): Promise<RotateContext> {
  const socket = await ensureAgent();
  // Connections of a rotation are the fleet's own, whatever agent the terminal has.
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  return {
    master: masterStack(stack, { commit, onProgress: audience.progress }),
    agent: { load: () => loadFleetKeys(socket, stack) },
    openSsh: (target) => openSsh(target, env),
    prove: (target, key) => proveKey(target, key, env),
    fingerprint: fingerprintOf,
    describe: (error) => describe(error, audience.language),
    tell: (key, values) => text(key, audience.language, values),
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

function stateOf(key: HeldKey, held: readonly HeldKey[], declared: readonly number[] | undefined): KeyState {
  if (declared && !declared.includes(key.generation)) return "dropped";
  if (held.length === 1) return "current";
  return key === held.at(-1) ? "new" : "old";
}
