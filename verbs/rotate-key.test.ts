/**
 * A rotation with a master stack, an agent and servers in memory; it is cut at each of its effects and begun again.
 * Not proven: what sshd and Pulumi do (see test/peers/key.test.ts and test/lab/key.test.ts).
 */
import { expect, test } from "vitest";
import type { SshTarget } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import { bareKey } from "../core/keys/authorized-keys.ts";
import type { HeldKey } from "../core/keys/rotation.ts";
import type { Outcome } from "../core/operation/journal.ts";
import type { Operation } from "./operation.ts";
import { beginRotation, endRotation, type RotateContext, rotateServers } from "./rotate-key.ts";

const key = (generation: number): HeldKey => ({
  generation,
  publicKey: `ssh-ed25519 ${String(generation).repeat(68)} geoclic-fleet`,
});
const target = (client: string): SshTarget => ({
  client,
  host: client,
  port: 22,
  user: "ubuntu",
  hostKey: "",
});
const names = ["a", "b", "c"];

class Cut extends Error {}

function world(setting: { readonly deaf?: string } = {}) {
  let declared: readonly number[] = [1];
  let held: readonly HeldKey[] = [key(1)];
  let agent: string[] = [bareKey(key(1).publicKey)];
  const offline = new Set<string>();
  const servers = new Map(names.map((name) => [name, [bareKey(key(1).publicKey)]]));
  const events: string[] = [];
  let effects = 0;
  let cutAt = Number.POSITIVE_INFINITY;
  /** `before`: cut ahead of the effect, else behind it. */
  const effect = (name: string, work: () => void) => {
    effects += 1;
    const isBefore = cutAt % 2 === 0;
    if (effects * 2 === cutAt && isBefore) throw new Cut(name);
    work();
    events.push(name);
    if (effects * 2 + 1 === cutAt) throw new Cut(name);
  };
  const keysOf = (name: string) => servers.get(name) ?? [];
  const lets = (name: string, keys: readonly string[]) => {
    if (offline.has(name))
      throw new FleetError("SSH_UNREACHABLE", { host: name, port: 22, cause: "silence" });
    if (!keysOf(name).some((each) => keys.includes(each)))
      throw new FleetError("SSH_REFUSED", { user: "ubuntu", host: name, port: 22, cause: "denied" });
  };
  const context: RotateContext = {
    master: {
      declared: async () => declared,
      declare: async (generations) => effect(`declare ${generations}`, () => (declared = [...generations])),
      held: async () => held,
      converge: async () => effect("converge", () => (held = declared.map(key))),
    },
    agent: {
      load: async () => effect("load", () => (agent = held.map(({ publicKey }) => bareKey(publicKey)))),
    },
    openSsh: async (server) => ({
      target: server,
      run: async (_step, [program, ...words]) => {
        const name = server.client;
        lets(name, agent);
        if (program === "cat") return { status: 0, stdout: keysOf(name).join("\n") };
        const edits = words.join(" ");
        const [, added] = /\\n\\1(ssh-ed25519 \d+)/.exec(edits) ?? [];
        const removed = edits.endsWith("|d .ssh/authorized_keys");
        effect(`${removed ? "remove" : added ? "add" : "restrict"} ${name}`, () => {
          if (added) servers.set(name, [...keysOf(name), added]);
          if (removed)
            servers.set(
              name,
              keysOf(name).filter((each) => !edits.includes(each.slice(-60))),
            );
        });
        return { status: 0, stdout: "" };
      },
      forward: () => Promise.reject(new Error("not used")),
      sendRelease: () => Promise.reject(new Error("not used")),
    }),
    prove: async ({ client }, publicKey) => {
      if (setting.deaf === client)
        throw new FleetError("SSH_REFUSED", { user: "ubuntu", host: client, port: 22, cause: "denied" });
      lets(client, [bareKey(publicKey)]);
      effect(`prove ${client}`, () => {});
    },
    fingerprint: (publicKey) => publicKey.slice(12, 16),
    describe: ({ code }) => code,
    tell: (each) => each,
  };
  const outcomes = new Map<string, [Outcome, string | undefined]>();
  const operation = {
    cancelled: new AbortController().signal,
    plan: () => {},
    wave: (number: number, clients: readonly string[]) => void events.push(`wave ${number}: ${clients}`),
    step: () => {},
    stepEnd: () => {},
    line: () => {},
    client: (client: string, outcome: Outcome, { cause }: { cause?: string } = {}) =>
      void outcomes.set(client, [outcome, cause]),
    refuseCancelled: () => {},
  } as unknown as Operation;
  return {
    servers,
    offline,
    events,
    outcomes,
    state: () => ({ declared, held: held.map(({ generation }) => generation), agent: agent.length }),
    cut: (at: number) => {
      effects = 0;
      cutAt = at;
    },
    effects: () => effects,
    async rotate() {
      const rotation = await beginRotation(context, () => {});
      if (!rotation) return [];
      const left = await rotateServers(context, operation, rotation, names.map(target), 2);
      if (left.length === 0) await endRotation(context, rotation, () => {});
      return left;
    },
  };
}

const over = { declared: [2], held: [2], agent: 1 };
const underWay = { declared: [1, 2], held: [1, 2], agent: 2 };

test("every server is proven before its old key goes, and all before the master stack forgets it", async () => {
  const made = world();
  expect(await made.rotate()).toEqual([]);
  expect(made.state()).toEqual(over);
  for (const name of names) {
    expect(made.servers.get(name)).toEqual([bareKey(key(2).publicKey)]);
    const own = made.events.filter((event) => event.endsWith(` ${name}`) && !event.startsWith("wave"));
    expect(own).toEqual([`add ${name}`, `restrict ${name}`, `prove ${name}`, `remove ${name}`]);
  }
  expect(made.events.slice(0, 4)).toEqual(["declare 1,2", "converge", "load", "wave 1: a,b"]);
  expect(made.events.slice(-3)).toEqual(["declare 2", "converge", "load"]);
});

test("an offline server keeps the old key in force everywhere it must be, and is caught up by the next run", async () => {
  const made = world();
  made.offline.add("b");
  expect(await made.rotate()).toEqual(["b"]);
  expect(made.state()).toEqual(underWay);
  expect(made.outcomes.get("b")).toEqual(["offline", "SSH_UNREACHABLE"]);
  expect(made.servers.get("b")).toEqual([bareKey(key(1).publicKey)]);
  expect(made.servers.get("a")).toEqual([bareKey(key(2).publicKey)]);
  made.offline.clear();
  expect(await made.rotate()).toEqual([]);
  expect(made.outcomes.get("a")?.[0]).toBe("unchanged");
  expect(made.outcomes.get("b")?.[0]).toBe("done");
  expect(made.state()).toEqual(over);
});

test("a server that does not let the new key in keeps the old one", async () => {
  const made = world({ deaf: "c" });
  expect(await made.rotate()).toEqual(["c"]);
  expect(made.outcomes.get("c")).toEqual(["failed", "KEY_UNPROVEN"]);
  expect(made.servers.get("c")).toEqual([bareKey(key(1).publicKey), bareKey(key(2).publicKey)]);
  expect(made.state()).toEqual(underWay);
});

// Ahead of each effect (even) and behind it (odd); a rotation of three servers has 18 of them.
test.each(
  Array.from({ length: 36 }, (_, index) => index + 2),
)("cut at half-step %i, the next run ends it, and nobody is locked out", async (at) => {
  const made = world();
  made.cut(at);
  await expect(made.rotate()).rejects.toThrow(Cut);
  made.cut(Number.POSITIVE_INFINITY);
  const { declared, held } = made.state();
  // One that was cut when all was done would begin the next rotation.
  if (`${declared} ${held}` !== "2 2") expect(await made.rotate()).toEqual([]);
  expect(made.state().held).toEqual([2]);
  for (const name of names) expect(made.servers.get(name)).toEqual([bareKey(key(2).publicKey)]);
});

test("a rotation has as many effects as the test above cuts", async () => {
  const made = world();
  await made.rotate();
  expect(made.effects()).toBe(18);
});
