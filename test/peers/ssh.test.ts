/**
 * Real OpenSSH on loopback against the adapter and the first contact with a server.
 * Not proven here: a network that loses packets, other versions of OpenSSH, a real sudo.
 */
import { chmod, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openSsh } from "../../outside/ssh.ts";
import type { SshTarget } from "../../core/commands/ssh.ts";
import { FleetError } from "../../core/errors.ts";
import type { Release } from "../../core/release/release.ts";
import { activateRelease } from "../../steps/activate-release.ts";
import { prepareServer } from "../../steps/prepare-server.ts";
import { fakeContext } from "../helpers/fake-context.ts";
import { freePort, type SshServer, startSshServer } from "../helpers/ssh-server.ts";

let server: SshServer;

beforeAll(async () => {
  server = await startSshServer();
});

afterAll(async () => {
  await server.stop();
});

const failure = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error("it succeeded, expected a failure");
    },
    (error: unknown) => {
      if (error instanceof FleetError) return error;
      throw error;
    },
  );

const open = (change: Partial<SshTarget> = {}, env = server.env) =>
  openSsh({ ...server.target, ...change }, env);

describe("a server that answers", () => {
  test("runs a command with its input, line by line", async () => {
    const ssh = await open();
    const lines: string[] = [];
    const result = await ssh.run("x", ["sh", "-c", "cat; echo 'a  b'; echo \"$0\"", "it's $HOME"], {
      input: "first\n",
      onLine: (line) => lines.push(line),
    });
    expect(lines).toEqual(["first", "a  b", "it's $HOME"]);
    expect(result).toEqual({ status: 0, stdout: "first\na  b\nit's $HOME\n" });
  });

  test("runs nothing of the start-up files of whoever runs the test", async () => {
    const { stdout } = await (await open()).run("x", ["sh", "-c", "echo $HOME; ls -A $HOME"]);
    expect(stdout.trim()).toBe(join(server.bin, "../home"));
  });

  test("shares one connection", async () => {
    const ssh = await open();
    await ssh.run("x", ["true"]);
    const before = (await server.log()).split("Accepted publickey").length;
    await Promise.all([ssh.run("x", ["true"]), ssh.run("x", ["true"]), ssh.run("x", ["true"])]);
    expect((await server.log()).split("Accepted publickey").length).toBe(before);
  });

  test("forwards a port of the server to this machine", async () => {
    const answer = createServer((socket) => socket.end("hello"));
    await new Promise<void>((resolve) => answer.listen(0, "127.0.0.1", resolve));
    const ssh = await open();
    const forward = await ssh.forward("x", (answer.address() as { port: number }).port);
    const bash = `exec 3<>/dev/tcp/127.0.0.1/${forward.remotePort}; cat <&3`;
    expect((await ssh.run("x", ["bash", "-c", bash])).stdout).toBe("hello");
    await forward.close();
    expect((await failure(ssh.run("x", ["bash", "-c", bash]))).code).toBe("SSH_FAILED");
    answer.close();
  });

  test("fails with the command's own words, and with the limit of its time", async () => {
    const ssh = await open();
    const own = "echo 'error DISK_FULL [ville] base.space: / is full. Next: free space.' >&2; exit 1";
    expect((await failure(ssh.run("base", ["sh", "-c", own]))).message).toBe(
      "ville · base (base.space): / is full (DISK_FULL). Next: free space.",
    );
    const slow = await failure(ssh.run("x", ["sh", "-c", "echo half; sleep 30"], { timeoutSeconds: 1 }));
    expect(slow.message).toContain("gave no end within 1 s: half");
  });
});

describe("fails, and names client, step, cause and next action", () => {
  test("on a port where nobody listens", async () => {
    const port = await freePort();
    const error = await failure((await open({ port })).run("server", ["true"]));
    expect(error.message).toMatch(
      new RegExp(
        `^ville · server: 127\\.0\\.0\\.1:${port} does not answer on SSH: .*refused.*SSH_UNREACHABLE.*Next: check`,
      ),
    );
  });

  test("on another host key, and nothing is sent", async () => {
    const before = (await server.log()).split("Accepted").length;
    const other = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"B".repeat(43)}`;
    const error = await failure(
      (await open({ hostKey: other })).run("server", ["touch", "/tmp/geoclic-never"]),
    );
    expect(error.code).toBe("HOST_KEY_CHANGED");
    expect((await server.log()).split("Accepted").length).toBe(before);
  });

  test("on an agent that holds another key", async () => {
    const other = await startSshServer();
    const error = await failure(
      (await open({}, { ...server.env, SSH_AUTH_SOCK: other.env.SSH_AUTH_SOCK })).run("server", ["true"]),
    );
    await other.stop();
    expect(error.code).toBe("SSH_REFUSED");
    expect(error.message).toContain("add the fleet's public key");
  });

  test("without an agent", async () => {
    const error = await failure(open({}, { ...server.env, SSH_AUTH_SOCK: "" }));
    expect(error.code).toBe("AGENT_MISSING");
  });

  describe("on a server that accepts and says nothing", () => {
    let silent: Server;
    const sockets: Socket[] = [];
    afterEach(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });

    test("within its time-out", async () => {
      silent = createServer((socket) => sockets.push(socket));
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const { port } = silent.address() as { port: number };
      const error = await failure((await open({ port })).run("server", ["true"]));
      expect(error.code).toBe("SSH_UNREACHABLE");
    });
  });

  test("tells a command that a signal ended from a line that is lost", async () => {
    const ssh = await open();
    const error = await failure(ssh.run("delivery", ["sh", "-c", "kill -KILL $$"]));
    expect(error.message).toMatch(/a command on 127\.0\.0\.1 ended with a signal \(or 255\).*SSH_FAILED/);
    expect((await failure(ssh.run("delivery", ["sh", "-c", "echo no >&2; exit 255"]))).message).toMatch(
      /ended with a signal \(or 255\): no \(SSH_FAILED\)/,
    );
    expect((await ssh.run("delivery", ["echo", "still there"])).stdout).toBe("still there\n");
  });

  test("when the line is cut in the middle of a command", async () => {
    const cut = await startSshServer();
    const ssh = await openSsh(cut.target, cut.env);
    const running = failure(ssh.run("activation", ["sh", "-c", "echo begun; sleep 30"]));
    await expect.poll(() => cut.log()).toContain("Accepted publickey");
    await cut.cut();
    expect((await running).code).toBe("SSH_UNREACHABLE");
    await cut.stop();
  });
});

describe.concurrent("fails on a line that is slow or half open", () => {
  test("on a server that greets and then says nothing", async () => {
    const error = await behind(async (client) => void client.write("SSH-2.0-OpenSSH_9.2\r\n"));
    expect(error.message).toMatch(/^ville · server: .*SSH_UNREACHABLE\)\. Next: check/);
  });

  test("on a server that greets too slowly, and not on one that is slow but comes", async () => {
    expect((await behind((client) => greet(client, 18_000))).code).toBe("SSH_UNREACHABLE");
    const proxy = await listening((client) => greet(client, 4000));
    const ssh = await open({ port: proxy.port });
    expect((await ssh.run("server", ["echo", "slow"])).stdout).toBe("slow\n");
    proxy.close();
  });

  test("on a line that falls silent in the middle of a command, after some 45 s", async () => {
    let pipes: readonly Socket[] = [];
    const proxy = await listening(async (client) => {
      pipes = await greet(client, 0);
    });
    const ssh = await open({ port: proxy.port });
    const running = failure(ssh.run("activation", ["sh", "-c", "echo begun; sleep 100"]));
    await expect.poll(async () => (await server.log()).includes("sleep 100") || pipes.length > 0).toBe(true);
    await setTimeout(1500);
    for (const pipe of pipes) pipe.pause();
    expect(await running).toMatchObject({
      code: "SSH_UNREACHABLE",
      place: { client: "ville", step: "activation" },
    });
    proxy.close();
  }, 90_000);
});

/** The failure of a command on a server that `meet`s its caller. */
async function behind(meet: (client: Socket) => Promise<unknown>): Promise<FleetError> {
  const peer = await listening(meet);
  const error = await failure((await open({ port: peer.port })).run("server", ["true"]));
  peer.close();
  return error;
}

/** A peer of our own on a port of loopback. */
async function listening(meet: (client: Socket) => Promise<unknown>) {
  const sockets: Socket[] = [];
  const peer = createServer((client) => {
    sockets.push(client);
    client.on("error", () => client.destroy());
    void meet(client);
  });
  await new Promise<void>((resolve) => peer.listen(0, "127.0.0.1", resolve));
  return {
    port: (peer.address() as { port: number }).port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      peer.close();
    },
  };
}

/** Hands a caller on to the real server, after a while. @returns both ends */
async function greet(client: Socket, milliseconds: number): Promise<readonly Socket[]> {
  await setTimeout(milliseconds);
  const real = connect(server.target.port, "127.0.0.1");
  real.on("error", () => client.destroy());
  client.on("close", () => real.destroy());
  real.on("data", (data) => void client.write(data));
  client.on("data", (data) => void real.write(data));
  return [client, real];
}

describe("an activation whose executor fails", () => {
  const release = {
    id: "bbbbbbbbbbbb",
    services: {},
    adapter: { health: { path: "/api/health", field: "status", equals: "healthy" }, routes: [] },
  } as unknown as Release;

  test.each([
    [
      "a container that crashes at its start",
      "UNHEALTHY",
      "services",
      "api exits with 1; aaaaaaaaaaaa serves on",
    ],
    ["a database that is not healthy", "DATABASE_NOT_READY", "database", "no answer over TCP within 120 s"],
    ["a disk that is full", "DISK_FULL", "preflight", "/var/lib/docker has 1 MiB free (no space left)"],
    ["an executor that was killed", "ACTIVATION_INTERRUPTED", "activation", "it ended without a word"],
  ])("tells %s in the server's words, once", async (_, code, part, cause) => {
    const line = `error ${code} [ville] ${part}: ${cause}. Next: look at it.`;
    await writeFile(
      join(server.bin, "sudo"),
      `#!/bin/sh\ncase "$*" in *follow*) echo "services: api"; echo "${line}" >&2; exit 1 ;; esac\n`,
      { mode: 0o755 },
    );
    const context = { ...fakeContext({ release }), openSsh: () => open() };
    const { host, port, hostKey } = server.target;
    const target = { client: "ville", host: host, port: port, sshUser: "root", hostKey: hostKey };
    const error = await failure(
      activateRelease(context, { ...target, release: release.id, domain: "ville.fr" }),
    );
    await rm(join(server.bin, "sudo"));
    const where = part === "activation" ? part : `activation (${part})`;
    expect(error.message).toBe(`ville · ${where}: ${cause} (${code}). Next: look at it.`);
    expect(context.reported).toEqual(["services: api"]);
  });
});

describe("the first contact with a server", () => {
  const input = () => ({
    client: "ville",
    host: server.target.host,
    port: server.target.port,
    sshUser: "root",
    hostKey: server.target.hostKey,
    scripts: "cccccccccccc",
  });
  const context = () => ({ ...fakeContext(), openSsh: () => open() });
  const imitate = async (name: string, script: string) => {
    await writeFile(join(server.bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(server.bin, name), 0o755);
  };

  afterEach(async () => {
    await rm(join(server.bin, "sudo"), { force: true });
    await rm(join(server.bin, "cat"), { force: true });
  });

  test("fails without sudo", async () => {
    await imitate("sudo", "echo 'sudo: a password is required' >&2; exit 1");
    expect((await failure(prepareServer(context(), input()))).code).toBe("SUDO_MISSING");
  });

  test("fails on a system that is not supported", async () => {
    await imitate("sudo", "exit 0");
    const gentoo = "printf 'ID=gentoo\\nVERSION_ID=2.15\\nPRETTY_NAME=\"Gentoo Linux\"\\n'";
    await imitate("cat", `[ "$1" = /etc/os-release ] && ${gentoo} || exec /bin/cat "$@"`);
    const error = await failure(prepareServer(context(), input()));
    expect(error.message).toMatch(
      /ville · server: .* runs Gentoo Linux.*OS_UNSUPPORTED.*Next: use one of: Debian 12/,
    );
  });
});
