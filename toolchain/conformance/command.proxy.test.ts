/**
 * @module What plugin command does on its way to a host: through another one, with a password-protected key, and what
 * it tells when it does not get there. Does not prove anything of passwords.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { remote, type types } from "@pulumi/command";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine } from "./engine.ts";
import { freePort, type Sshd, startSshd } from "./sshd.ts";

type Connection = types.input.remote.ConnectionArgs;

let engine: Engine;
let sshd: Sshd;
beforeAll(async () => {
  engine = await Engine.start({ SSH_AUTH_SOCK: "" });
  sshd = await startSshd(engine.folder, "COLOUR");
});
afterAll(async () => {
  sshd?.stop();
  await engine?.end();
});

function connection(): Connection {
  const { port, user, hostKey, agent } = sshd;
  return { host: "127.0.0.1", port, user, hostKey, agentSocketPath: agent, dialErrorLimit: 0 };
}

const command =
  (args: remote.CommandArgs): (() => Record<string, unknown>) =>
  () => ({ stdout: new remote.Command("command", { addPreviousOutputInEnv: false, ...args }).stdout });

test("a host is reached through another one", async () => {
  const create = 'set -- $SSH_CONNECTION; echo "$1 $4"';
  await engine.up(command({ connection: { ...connection(), proxy: connection() }, create }));
  expect((await engine.output("stdout")).value).toBe(`127.0.0.1 ${sshd.port}`);
  const attempts = { ...connection(), port: await freePort() };
  const told = await engine.failingUp(
    command({ connection: { ...connection(), proxy: attempts }, create: "true" }),
  );
  expect(told).toMatch(/proxy: .*connection refused/);
});

test("a key with a password needs it", async () => {
  const path = join(engine.folder, "locked");
  await execa("cp", [join(engine.folder, "user"), path]);
  await execa("ssh-keygen", ["-q", "-p", "-P", "", "-N", "opens", "-f", path]);
  const { agentSocketPath: _, ...rest } = connection();
  const privateKey = await readFile(path, "utf8");
  const told = await engine.failingUp(
    command({ connection: { ...rest, privateKey }, create: "echo unlocked" }),
  );
  expect(told).toContain("passphrase protected");
  const unlocked = { ...rest, privateKey, privateKeyPassword: "opens" };
  await engine.up(command({ connection: unlocked, create: "echo unlocked" }));
  expect((await engine.output("stdout")).value).toBe("unlocked");
  expect(await engine.kept()).not.toContain('"opens"');
});

test("before the command runs it is not blamed", async () => {
  const unreachable = { ...connection(), port: await freePort(), dialErrorLimit: 2 };
  const told = await engine.failingUp(command({ connection: unreachable, create: "echo never" }));
  expect(told).toContain("after 2 failed attempts: ");
  const refused = await engine.failingUp(
    command({ connection: connection(), create: "echo never", environment: { SIZE: "1" } }),
  );
  expect(refused).toContain('could not set environment variable "SIZE"');
  for (const text of [told, refused]) expect(text).not.toContain('running "echo never"');
});
