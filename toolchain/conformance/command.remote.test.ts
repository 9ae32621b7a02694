/**
 * @module What the program relies on in plugin command: commands over SSH, judged with OpenSSH's own sshd. Does not prove
 * anything of passwords, of proxies, of copying files, nor of a host that falls silent in the middle of a command.
 */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { remote, type types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Engine, isSecret, type Program } from "./engine.ts";
import { freePort, type Sshd, startSshd } from "./sshd.ts";

type Connection = types.input.remote.ConnectionArgs;
type Commands = Readonly<
  Record<string, Omit<remote.CommandArgs, "connection"> & { connection?: Connection }>
>;

let engine: Engine;
let sshd: Sshd;
beforeAll(async () => {
  // No agent by the environment: commands name it, or a key.
  engine = await Engine.start({ SSH_AUTH_SOCK: "" });
  sshd = await startSshd(engine.folder, "COLOUR");
});
afterAll(async () => {
  sshd?.stop();
  await engine?.end();
});

/** Through the agent unless told otherwise. A single attempt: no test waits for a host. */
function connection(): Connection {
  const { port, user, hostKey, agent } = sshd;
  return { host: "127.0.0.1", port, user, hostKey, agentSocketPath: agent, dialErrorLimit: 0 };
}

function program(commands: Commands): Program {
  return () => {
    for (const [name, inputs] of Object.entries(commands))
      new remote.Command(name, { connection: connection(), addPreviousOutputInEnv: false, ...inputs });
    return {};
  };
}

/** A line that leaves a trace, so that it is known what ran how often. */
const trace = (name: string, text: string) => `echo "${text}" >>${join(engine.folder, name)}.trace`;

async function traced(name: string): Promise<string[]> {
  const text = await readFile(join(engine.folder, `${name}.trace`), "utf8").catch(() => "");
  return text.split("\n").slice(0, -1);
}

async function outputs(name: string): Promise<{ stdout: unknown; stderr: unknown }> {
  const { stdout, stderr } = (await engine.resource(name)).outputs;
  return { stdout, stderr };
}

const withoutAgent = (): Connection => {
  const { agentSocketPath: _, ...rest } = connection();
  return rest;
};

test("the agent of SSH_AUTH_SOCK is used where none is named", async () => {
  const other = await Engine.start({ SSH_AUTH_SOCK: sshd.agent });
  try {
    await other.up(program({ agent: { connection: withoutAgent(), create: trace("agent", "create") } }));
    expect(await traced("agent")).toEqual(["create"]);
  } finally {
    await other.end();
  }
});

/** Commands before and after their change. */
const commands = (changed: boolean): Commands => ({
  socket: {
    create: `${trace("socket", "create")}; printf 'out\\n\\n'; echo err >&2`,
    delete: trace("socket", "delete"),
  },
  key: {
    connection: { ...withoutAgent(), privateKey: sshd.privateKey },
    create: trace("key", "create"),
  },
  stdin: { create: `cat >>${join(engine.folder, "stdin.trace")}`, stdin: pulumi.secret("hidden-stdin\n") },
  secretLine: { create: pulumi.secret("echo hidden-line"), update: "true", logging: "none" },
  environment: {
    create: trace("environment", "create $COLOUR"),
    update: trace("environment", "update $COLOUR"),
    environment: { COLOUR: changed ? "green" : "red" },
  },
  again: { create: trace("again", changed ? "new" : "old") },
  triggered: {
    create: trace("triggered", "create"),
    delete: trace("triggered", "delete"),
    triggers: [changed],
  },
  previous: {
    create: "echo first",
    update: `${trace("previous", "update $PULUMI_COMMAND_STDOUT")}; echo second`,
    delete: changed ? "true" : "false",
    addPreviousOutputInEnv: true,
  },
});

test("preview connects to nobody, up runs `create` once", async () => {
  const all = Object.keys(commands(false)).length + 1;
  expect(await engine.preview(program(commands(false)))).toEqual({ create: all });
  expect(await traced("socket")).toEqual([]);
  const { changes, printed } = await engine.up(program(commands(false)));
  expect(changes).toEqual({ create: all });
  expect((await engine.up(program(commands(false)))).changes).toEqual({ same: all });
  expect(await engine.refresh()).toEqual({ same: all });
  expect(await traced("socket")).toEqual(["create"]);
  expect(await traced("key")).toEqual(["create"]);
  expect(await traced("stdin")).toEqual(["hidden-stdin"]);
  expect(await traced("environment")).toEqual(["create red"]);
  expect(await outputs("socket")).toEqual({ stdout: "out\n", stderr: "err" });
  expect(printed).not.toContain("hidden-");
});

test("connection, stdin and a secret line's output are kept as ciphertext only", async () => {
  for (const name of Object.keys(commands(false))) {
    const { inputs, outputs: kept } = await engine.resource(name);
    expect([isSecret(inputs.connection), isSecret(kept.connection)]).toEqual([true, true]);
  }
  const { stdout, stderr } = await outputs("secretLine");
  expect([isSecret(stdout), isSecret(stderr)]).toEqual([true, true]);
  expect(isSecret((await outputs("stdin")).stdout)).toBe(false);
  const kept = await engine.kept();
  const [, line = ""] = sshd.privateKey.split("\n");
  for (const text of ["hidden-", "OPENSSH PRIVATE KEY", line, sshd.agent]) expect(kept).not.toContain(text);
});

test("a changed input runs `update`, or `create` where there is none; triggers replace", async () => {
  const { changes, printed } = await engine.up(program(commands(true)));
  expect(changes).toEqual({ same: 5, update: 3, replace: 1 });
  expect(await traced("environment")).toEqual(["create red", "update green"]);
  expect(await traced("again")).toEqual(["old", "new"]);
  expect(await traced("triggered")).toEqual(["create", "create", "delete"]);
  // sshd refuses the former output as a variable: a warning, no failure.
  expect(await traced("previous")).toEqual(["update "]);
  expect((await outputs("previous")).stdout).toBe("second");
  expect(printed).toMatch(/warning: .*PULUMI_COMMAND_STDOUT/);
});

test("a failure is told with its status, line and output", async () => {
  const failing = { create: 'echo told; echo "warned" >&2; exit 3' };
  const told = await engine.failingUp(program({ ...commands(true), failing }));
  expect(told).toContain(`Process exited with status 3: running ${JSON.stringify(failing.create)}:`);
  expect(told).toMatch(/running ".*":\s+(told\s+warned|warned\s+told)\s/);
});

test("a wrong host key, no key and a refused variable: nothing runs", async () => {
  const line = (name: string) => ({ create: trace(name, "create") });
  const refused: Commands = {
    imposter: { ...line("imposter"), connection: { ...connection(), hostKey: sshd.otherHostKey } },
    stranger: { ...line("stranger"), connection: withoutAgent() },
    variable: { ...line("variable"), environment: { SIZE: "1" } },
  };
  const told: string[] = [];
  for (const [name, inputs] of Object.entries(refused)) {
    told.push(await engine.failingUp(program({ ...commands(true), [name]: inputs })));
    expect(await traced(name)).toEqual([]);
  }
  expect(told[0]).toMatch(/handshake failed.*host key/);
  expect(told[1]).toContain("unable to authenticate");
  expect(told[2]).toContain("SIZE");
});

test("a host out of reach is tried once more than dialErrorLimit allows to fail", async () => {
  let attempts = 0;
  const deaf: Server = createServer((socket) => {
    attempts += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => deaf.listen(0, "127.0.0.1", resolve));
  const address = deaf.address();
  if (address === null || typeof address === "string") throw new Error("expected a TCP port");
  const to = (port: number): Connection => ({ ...connection(), port, dialErrorLimit: 2 });
  try {
    await engine.failingUp(
      program({ ...commands(true), deaf: { connection: to(address.port), create: "true" } }),
    );
    expect(attempts).toBe(3);
  } finally {
    deaf.close();
  }
  const closed = { connection: to(await freePort()), create: "true" };
  const began = Date.now();
  expect(await engine.failingUp(program({ ...commands(true), closed }))).toContain("connection refused");
  expect(Date.now() - began).toBeLessThan(10_000);
});

test("destroy runs `delete`", async () => {
  await engine.destroy();
  expect(await traced("socket")).toEqual(["create", "delete"]);
  expect(await traced("triggered")).toEqual(["create", "create", "delete", "delete"]);
});
