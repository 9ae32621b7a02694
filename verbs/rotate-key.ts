/**
 * @module Replaces the fleet's key: a new one is made beside the old one, every server is brought over and proves it, then
 * the old one goes. What is left to do is read from the master stack and the servers each time, so that a run that is cut
 * at any point is gone on with by the next one.
 */

import type { Command } from "../core/commands/shell.ts";
import type { SshTarget } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import {
  addAlone,
  addBeside,
  bareKey,
  hasKey,
  readKeys,
  removeKeys,
  restrictKeys,
} from "../core/keys/authorized-keys.ts";
import { type HeldKey, nextServerStep, nextStep } from "../core/keys/rotation.ts";
import type { TextKey, Values } from "../core/messages/catalogue.ts";
import type { Ssh } from "../core/ports.ts";
import type { Operation } from "./operation.ts";

export interface MasterStack {
  /** Generations that its file declares, oldest first. */
  declared(): Promise<readonly number[]>;
  declare(generations: readonly number[]): Promise<void>;
  /** Keys that its last `up` left, oldest first. */
  held(): Promise<readonly HeldKey[]>;
  /** `up`; keys that are to go are no longer protected. */
  converge(dropped: readonly HeldKey[]): Promise<void>;
}

export interface RotateContext {
  readonly master: MasterStack;
  readonly agent: {
    /** Holds what the master stack holds afterwards, and nothing else. */
    load(): Promise<void>;
  };
  openSsh(target: SshTarget): Promise<Ssh>;
  /** Opens a connection that nothing but this key can open. @throws FleetError of the connection */
  prove(target: SshTarget, publicKey: string): Promise<void>;
  fingerprint(publicKey: string): string;
  /** A failure in the reader's language. */
  describe(error: FleetError): string;
  tell(key: TextKey, values?: Values): string;
}

export interface Rotation {
  readonly from: HeldKey;
  readonly to: HeldKey;
}

const step = "ssh-key";
const seconds = 40;
const unreachable = new Set(["SSH_UNREACHABLE", "SSH_TIMEOUT", "CONNECTION_FAILED"]);

/**
 * Brings the master stack and the agent to where both keys are there.
 * @returns nothing when all that was left of a former rotation was its end
 */
export async function beginRotation(
  { master, agent, fingerprint, tell }: RotateContext,
  say: (line: string) => void,
): Promise<Rotation | undefined> {
  let isBegun = false;
  for (;;) {
    const next = nextStep(await master.declared(), await master.held());
    switch (next.step) {
      case "begin":
        isBegun = true;
        await master.declare(next.generations);
        break;
      case "make":
        isBegun = true;
        await master.converge([]);
        break;
      case "drop":
        await dropKeys(master, agent, next.keys);
        for (const { generation } of next.keys) say(tell("sshKey.finished", { generation }));
        return undefined;
      case "roll": {
        const { from, to } = next;
        await agent.load();
        say(
          isBegun
            ? tell("sshKey.made", { generation: to.generation, fingerprint: fingerprint(to.publicKey) })
            : tell("sshKey.goesOn", { from: from.generation, to: to.generation }),
        );
        return { from, to };
      }
    }
  }
}

/** Brings servers over, so many at once. @returns clients whose server does not run by the new key alone */
export async function rotateServers(
  context: RotateContext,
  operation: Operation,
  rotation: Rotation,
  targets: readonly SshTarget[],
  parallel: number,
): Promise<string[]> {
  const left: string[] = [];
  const waves = Array.from({ length: Math.ceil(targets.length / parallel) }, (_, index) =>
    targets.slice(index * parallel, (index + 1) * parallel),
  );
  operation.plan(
    waves.map((wave) => wave.map(({ client }) => client)),
    {},
  );
  for (const [index, wave] of waves.entries()) {
    operation.refuseCancelled();
    operation.wave(
      index + 1,
      wave.map(({ client }) => client),
    );
    await Promise.all(wave.map(one));
  }
  return left;

  async function one(target: SshTarget): Promise<void> {
    const { client } = target;
    operation.step(client, step);
    try {
      const isChanged = await rotateServer(context, rotation, target);
      operation.stepEnd(client, step, true);
      operation.client(client, isChanged ? "done" : "unchanged");
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      left.push(client);
      operation.stepEnd(client, step, false);
      operation.client(client, unreachable.has(error.code) ? "offline" : "failed", {
        cause: context.describe(error),
      });
    }
  }
}

/** The end: nothing but the new key is left, neither in the master stack nor in the agent. */
export async function endRotation(
  { master, agent, tell }: RotateContext,
  { from, to }: Rotation,
  say: (line: string) => void,
): Promise<void> {
  await master.declare([to.generation]);
  await dropKeys(master, agent, [from]);
  say(tell("sshKey.finished", { generation: from.generation }));
}

async function dropKeys(
  master: MasterStack,
  agent: RotateContext["agent"],
  keys: readonly HeldKey[],
): Promise<void> {
  await master.converge(keys);
  await agent.load();
}

/** @returns whether something was changed there */
async function rotateServer(
  { openSsh, prove }: RotateContext,
  { from, to }: Rotation,
  target: SshTarget,
): Promise<boolean> {
  const { host, user, client } = target;
  const ssh = await openSsh(target);
  const run = async (command: Command) => (await ssh.run(step, command, { timeoutSeconds: seconds })).stdout;
  let isProven = false;
  let isChanged = false;
  let isRemoved = false;
  for (;;) {
    const text = await run(readKeys);
    const hasOld = hasKey(text, from.publicKey);
    switch (nextServerStep({ hasOld, hasNew: hasKey(text, to.publicKey), isProven })) {
      case "add":
        // It was added, and is gone again: somebody else writes the file.
        if (isChanged)
          throw new FleetError("KEY_UNPROVEN", { host, user, cause: "it does not stay" }, { client, step });
        await run(hasOld ? addBeside(from.publicKey, to.publicKey) : addAlone(to.publicKey));
        await run(restrictKeys([bareKey(to.publicKey)]));
        isChanged = true;
        break;
      case "prove":
        await prove(target, to.publicKey).catch((error: unknown) => {
          if (!(error instanceof FleetError) || error.code !== "SSH_REFUSED") throw error;
          const { cause = "" } = error.values;
          throw new FleetError("KEY_UNPROVEN", { host, user, cause }, { client, step });
        });
        isProven = true;
        break;
      case "remove":
        if (isRemoved) throw new FleetError("KEY_NOT_REMOVED", { host, user }, { client, step });
        await run(removeKeys([bareKey(from.publicKey)]));
        isRemoved = true;
        isChanged = true;
        break;
      case "done":
        return isChanged;
    }
  }
}
