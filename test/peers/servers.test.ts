/**
 * Commands that only look at servers, on real OpenSSH on loopback: time-outs, what is left running, words that arrive.
 * Not proven here: a network that loses packets, a real sudo, a terminal; containers (test/lab).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { scanHostKey } from "../../outside/host-key.ts";
import { get } from "../../outside/http.ts";
import { openSsh } from "../../outside/ssh.ts";
import { openSession } from "../../outside/ssh-session.ts";
import { type Command, toShell, untilClosed, withinSeconds } from "../../core/commands/shell.ts";
import type { Release } from "../../core/release/release.ts";
import { readStatus } from "../../verbs/read-status.ts";
import { testSsh } from "../../verbs/test-ssh.ts";
import { freePort, type SshServer, startSshServer } from "../helpers/ssh-server.ts";

let server: SshServer;
const release = {
  id: "bbbbbbbbbbbb",
  services: {},
  adapter: { health: { path: "/api/health", field: "status", equals: "healthy" }, routes: [] },
} as unknown as Release;
const realSudo = '#!/bin/sh\nshift\nexec "$@"\n';

beforeAll(async () => {
  server = await startSshServer();
  await sudo(realSudo);
});

afterAll(() => server.stop());

const sudo = (text: string) => writeFile(join(server.bin, "sudo"), text, { mode: 0o755 });

describe("status of ten servers, three of them silent", () => {
  const silent: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    for (const each of silent) each.close();
    await sudo(realSudo);
  });

  test("ends within the time-out and a second, with ten rows", async () => {
    await sudo(`#!/bin/sh\necho '{"release":"${release.id}"}'\n`);
    const sshPort = await freePort();
    for (const host of ["127.90.0.1", "127.90.0.2", "127.90.0.3"])
      for (const port of [443, sshPort])
        silent.push(
          createServer((socket) => {
            sockets.push(socket);
            socket.on("error", () => {});
          }).listen(port, host),
        );
    const clients = Array.from({ length: 10 }, (_, index) => {
      const isSilent = index % 3 === 0 && index < 9;
      const name = `ville-${index}`;
      const reach = isSilent
        ? { host: `127.90.0.${index / 3 + 1}`, port: sshPort }
        : { host: "127.0.0.1", port: server.target.port };
      return {
        target: { ...server.target, client: name, ...reach },
        domain: `${name}.fr`,
        ip: "10.0.0.1",
        release,
      };
    });
    const context = {
      openSsh: (target: Parameters<typeof openSsh>[0]) => openSsh(target, server.env),
      get: async (request: Parameters<typeof get>[0]) =>
        request.host.startsWith("127.90.")
          ? get(request)
          : { status: 200, body: `{"status":"healthy","release":"${release.id}"}` },
    };
    const began = performance.now();
    const rows = await readStatus(context, clients, 4);
    expect((performance.now() - began) / 1000).toBeLessThan(5);
    expect(rows.map(({ health, ssh_ok }) => `${health} ${ssh_ok}`)).toEqual(
      Array.from({ length: 10 }, (_, index) =>
        index % 3 === 0 && index < 9 ? "unreachable false" : "healthy true",
      ),
    );
    expect(rows[0]).toMatchObject({
      cause: "no answer within 4 s",
      health_http: "000",
      sshError: expect.stringMatching(/SSH_UNREACHABLE/),
    });
    expect(rows[1]).toMatchObject({ health_http: "200", facts: { release: release.id } });
  });
});

describe("what nobody waits for any more does not go on", () => {
  const mark = () => `86${String(Math.random()).slice(2, 9)}`;
  const isRunning = async (seconds: string) =>
    (await execa("pgrep", ["-x", "-f", `sleep ${seconds}`], { reject: false })).exitCode === 0;
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill("SIGKILL"));

  test("a command whose time is over", async () => {
    const ssh = await openSsh(server.target, server.env);
    const seconds = mark();
    const command = withinSeconds(1, ["sudo", "-n", "sleep", seconds]);
    await expect(ssh.run("x", command, { timeoutSeconds: 1 })).rejects.toThrow("SSH_TIMEOUT");
    await expect.poll(() => isRunning(seconds), { timeout: 10_000 }).toBe(false);
  });

  test.each(["SIGINT", "SIGKILL"] as const)("logs that are followed, after %s", async (signal) => {
    const seconds = mark();
    const command = untilClosed(["sudo", "-n", "sh", "-c", 'echo "$0"; exec sleep "$1"', "begun", seconds]);
    const program = `
      import { followCommand } from ${JSON.stringify(join(import.meta.dirname, "../../outside/ssh-session.ts"))};
      await followCommand(${JSON.stringify(server.target)}, "logs", ${JSON.stringify(command)}, (line) => console.log(line));`;
    child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      env: server.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let shown = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
    });
    await expect.poll(() => shown, { timeout: 20_000 }).toBe("begun\n");
    await expect.poll(() => isRunning(seconds)).toBe(true);
    child.kill(signal);
    const status = await new Promise((resolve) => child?.once("close", (code) => resolve(code)));
    if (signal === "SIGINT") expect(status).toBe(0);
    await expect.poll(() => isRunning(seconds), { timeout: 10_000 }).toBe(false);
  });

  test.each([0, 7])("a followed command ends with its own status: %i", async (status) => {
    const command: Command = untilClosed(["sudo", "-n", "sh", "-c", `exit ${status}`]);
    const end = await execa("ssh", ["-F", await config(), "-T", "ville", "--", toShell(command)], {
      env: server.env,
      stdin: "pipe",
      reject: false,
    });
    expect(end.exitCode).toBe(status);
  });

  async function config(): Promise<string> {
    const { prepareSsh } = await import("../../outside/ssh.ts");
    return prepareSsh(server.target, server.env);
  }
});

describe("ssh", () => {
  test.each([
    ["a semicolon", "; touch /tmp/geoclic-pwned"],
    ["quotes", `it's "quoted"`],
    ["a substitution", "$(touch /tmp/geoclic-pwned)`id`"],
    ["line breaks", "one\ntwo\r\n"],
    ["leading dashes", "--option"],
    ["an option of ssh", "-oProxyCommand=touch /tmp/geoclic-pwned"],
    ["10 kB", "é'".repeat(5000)],
    ["nothing", ""],
  ])("hands %s on literally", async (_, word) => {
    // The server itself tells what came: any difference is a difference of status.
    const expected = Buffer.from(word).toString("hex");
    const script = 'got=$(printf %s "$1" | od -An -v -tx1 | tr -d " \\n"); [ "$got" = "$2" ]';
    expect(await openSession(server.target, ["sh", "-c", script, "sh", word, expected], server.env)).toBe(0);
    await expect(execa("test", ["-e", "/tmp/geoclic-pwned"])).rejects.toThrow();
  });

  test.each([0, 1, 42])("ends with the remote status %i", async (status) => {
    expect(await openSession(server.target, ["sh", "-c", `exit ${status}`], server.env)).toBe(status);
  });
});

describe("test-ssh", () => {
  const attempt = (change: object = {}, env = server.env) =>
    testSsh({ scanHostKey, openSsh: (target) => openSsh(target, env) }, { ...server.target, ...change }, 4);
  const steps = (result: Awaited<ReturnType<typeof attempt>>) =>
    result.steps.map(({ step, error }) => (error ? `${step} ${error.code}` : step));

  test("passes every step", async () => {
    const result = await attempt();
    expect(steps(result)).toEqual(["reach", "hostKey", "login", "sudo"]);
    expect(result).toMatchObject({
      status: "ok",
      isPinned: true,
      fingerprint: expect.stringMatching(/^SHA256:/),
    });
  });

  test("tells a port where nobody listens", async () => {
    const result = await attempt({ port: await freePort() });
    expect(steps(result)).toEqual(["reach SSH_UNREACHABLE"]);
    expect(result.steps[0]?.error?.message).toContain("the connection was refused");
  });

  test.each([
    ["the same kind", `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"B".repeat(43)}`],
    ["another kind", `ecdsa-sha2-nistp256 ${"A".repeat(140)}`],
  ])("tells a host key that is not the pinned one, of %s", async (_, hostKey) => {
    const result = await attempt({ hostKey });
    expect(steps(result)).toEqual(["reach", "hostKey HOST_KEY_CHANGED"]);
    expect(result).toMatchObject({ status: "failed", isPinned: false });
  });

  test("tells a key that is not let in, and a missing sudo", async () => {
    const other = await startSshServer();
    const env = {
      ...server.env,
      SSH_AUTH_SOCK: other.env.SSH_AUTH_SOCK,
      XDG_RUNTIME_DIR: other.env.XDG_RUNTIME_DIR,
    };
    expect(steps(await attempt({}, env))).toEqual(["reach", "hostKey", "login SSH_REFUSED"]);
    await other.stop();
    await sudo("#!/bin/sh\necho 'sudo: a password is required' >&2; exit 1\n");
    expect(steps(await attempt())).toEqual(["reach", "hostKey", "login", "sudo SUDO_MISSING"]);
    await sudo(realSudo);
  });

  test("pins nothing on an address that no client has", async () => {
    expect(await attempt({ hostKey: undefined })).not.toHaveProperty("isPinned");
  });
});
