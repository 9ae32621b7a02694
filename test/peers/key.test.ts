/**
 * A rotation against a real sshd, ssh-agent and sed; the master stack is imitated.
 * Not proven: what Pulumi does with two generations of the key (see test/lab/key.test.ts).
 */
import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addKey, removeKey } from "../../outside/agent.ts";
import { fingerprintOf } from "../../outside/host-key.ts";
import { proveKey } from "../../outside/key-proof.ts";
import { openSsh } from "../../outside/ssh.ts";
import { bareKey } from "../../core/keys/authorized-keys.ts";
import type { HeldKey } from "../../core/keys/rotation.ts";
import { beginRotation, endRotation, type RotateContext, rotateServers } from "../../verbs/rotate-key.ts";
import type { Operation } from "../../verbs/operation.ts";
import { type SshServer, startSshServer } from "../helpers/ssh-server.ts";

let server: SshServer;
let folder: string;
let keys: string;

beforeEach(async () => {
  server = await startSshServer();
  folder = dirname(server.bin);
  keys = join(folder, "home/.ssh/authorized_keys");
  await mkdir(dirname(keys));
  // What sshd reads is what commands in the user's home edit; the link is sshd's, so that a rename by sed is seen.
  await rename(join(folder, "authorized_keys"), keys);
  await symlink(keys, join(folder, "authorized_keys"));
  const [old] = (await readFile(keys, "utf8")).split("\n");
  await writeFile(keys, `# ours\nfrom="127.0.0.1",restrict,pty,port-forwarding ${old} geoclic-fleet\n`);
});

afterEach(async () => {
  await server.stop();
});

async function rotation() {
  const secret = join(folder, "second");
  await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "x", "-f", secret]);
  const all = [join(folder, "user"), secret];
  const made: HeldKey[] = await Promise.all(
    all.map(async (file, index) => ({
      generation: index + 1,
      publicKey: `${bareKey(await readFile(`${file}.pub`, "utf8"))} geoclic-fleet`,
    })),
  );
  let declared: readonly number[] = [1];
  let held = made.slice(0, 1);
  const socket = String(server.env.SSH_AUTH_SOCK);
  const outcomes: string[] = [];
  const context: RotateContext = {
    master: {
      declared: async () => declared,
      declare: async (generations) => {
        declared = generations;
      },
      held: async () => held,
      converge: async () => {
        held = made.filter(({ generation }) => declared.includes(generation));
      },
    },
    agent: {
      load: async () => {
        for (const { generation, publicKey } of made)
          if (held.some((each) => each.generation === generation))
            await addKey(socket, await readFile(all[generation - 1] as string, "utf8"));
          else await removeKey(socket, publicKey);
      },
    },
    // sshd begins in the real home of whoever runs the test, which is none of its business.
    openSsh: async (target) => {
      const ssh = await openSsh(target, server.env);
      const script = 'cd "$1" && shift && exec "$@"';
      return {
        ...ssh,
        run: (step, command, options) =>
          ssh.run(step, ["sh", "-c", script, "sh", join(folder, "home"), ...command], options),
      };
    },
    prove: (target, key) => proveKey(target, key, server.env),
    fingerprint: fingerprintOf,
    describe: ({ message }) => message,
    tell: (key) => key,
  };
  const nothing = () => {};
  const operation = {
    plan: nothing,
    wave: nothing,
    step: nothing,
    stepEnd: nothing,
    line: nothing,
    client: (client: string, outcome: string, { cause = "" } = {}) =>
      void outcomes.push(`${client} ${outcome} ${cause}`.trim()),
    refuseCancelled: nothing,
  } as unknown as Operation;
  return { context, operation, outcomes, made, socket };
}

test("the old key opens until the new one is proven, and is refused after", async () => {
  const { context, operation, outcomes, made, socket } = await rotation();
  const [old = "", fresh = ""] = made.map(({ publicKey }) => publicKey);
  const begun = await beginRotation(context, () => {});
  if (!begun) throw new Error("no rotation");
  await proveKey(server.target, old, server.env);
  await expect(proveKey(server.target, fresh, server.env)).rejects.toMatchObject({ code: "SSH_REFUSED" });
  const between: string[] = [];
  const prove = context.prove;
  const watched = {
    ...context,
    prove: async (...given: Parameters<typeof prove>) => {
      await prove(...given);
      await prove(server.target, old);
      between.push(await readFile(keys, "utf8"));
    },
  };
  expect(await rotateServers(watched, operation, begun, [server.target], 5)).toEqual([]);
  expect(outcomes).toEqual(["ville done"]);
  expect(between[0]).toContain(bareKey(old));
  expect(await readFile(keys, "utf8")).toBe(
    `# ours\nfrom="127.0.0.1",restrict,pty,port-forwarding ${bareKey(fresh)} geoclic-fleet\n`,
  );
  await expect(proveKey(server.target, old, server.env)).rejects.toMatchObject({ code: "SSH_REFUSED" });
  await proveKey(server.target, fresh, server.env);
  await endRotation(context, begun, () => {});
  const { stdout } = await execa("ssh-add", ["-L"], { env: { SSH_AUTH_SOCK: socket } });
  expect(stdout.split("\n").map(bareKey)).toEqual([bareKey(fresh)]);
});

test("the shared connection proves nothing: a key that is not let in fails while it is open", async () => {
  const { context, made } = await rotation();
  const ssh = await context.openSsh(server.target);
  await ssh.run("test", ["true"]);
  const begun = await beginRotation(context, () => {});
  await expect(context.prove(server.target, String(begun?.to.publicKey))).rejects.toMatchObject({
    code: "SSH_REFUSED",
  });
  await context.prove(server.target, String(made[0]?.publicKey));
});

test("a file that somebody else puts back is told, and the old key stays", async () => {
  const { context, operation, outcomes } = await rotation();
  const begun = await beginRotation(context, () => {});
  if (!begun) throw new Error("no rotation");
  const former = await readFile(keys, "utf8");
  await rm(join(folder, "authorized_keys"));
  await writeFile(join(folder, "authorized_keys"), former, { mode: 0o600 });
  expect(await rotateServers(context, operation, begun, [server.target], 5)).toEqual(["ville"]);
  expect(outcomes[0]).toMatch(/^ville failed .*KEY_UNPROVEN|does not accept the new key/);
  await proveKey(server.target, begun.from.publicKey, server.env);
});
