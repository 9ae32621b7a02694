/** @module A real OpenSSH server on loopback, with a host key, an agent and a `sudo` of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { SshTarget } from "../../core/commands/ssh.ts";

export interface SshServer {
  readonly target: SshTarget;
  /** Environment of an operator: agent, home, runtime folder. */
  readonly env: NodeJS.ProcessEnv;
  /** Folder that is first on the PATH of what runs on the server. */
  readonly bin: string;
  /** sshd's log so far. */
  log(): Promise<string>;
  /** Ends every connection, as a cut line does. */
  cut(): Promise<void>;
  stop(): Promise<void>;
}

/** `lines`: more of sshd_config; `programs`: where commands find programs, after the server's own folder. */
export async function startSshServer(
  lines: readonly string[] = [],
  programs: readonly string[] = ["/usr/bin", "/bin"],
): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-sshd-"));
  await chmod(folder, 0o755);
  const bin = join(folder, "bin");
  await mkdir(bin);
  await mkdir(join(folder, "home"));
  await mkdir("/run/sshd", { recursive: true });
  const key = async (name: string) => {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", join(folder, name)]);
    return (await readFile(join(folder, `${name}.pub`), "utf8")).split(" ").slice(0, 2).join(" ");
  };
  const [hostKey, userKey] = await Promise.all([key("host"), key("user")]);
  await writeFile(join(folder, "authorized_keys"), `${userKey}\n`, { mode: 0o600 });
  const port = await freePort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${join(folder, "authorized_keys")}`,
    `PidFile ${join(folder, "pid")}`,
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "LogLevel VERBOSE",
    // An empty home: the shell's start-up files of whoever runs the test would run among imitated programs.
    `SetEnv PATH=${[bin, ...programs].join(":")} HOME=${join(folder, "home")}`,
    ...lines,
  ];
  await writeFile(join(folder, "sshd_config"), `${config.join("\n")}\n`);
  const sshd = spawn("/usr/sbin/sshd", ["-D", "-f", join(folder, "sshd_config"), "-E", join(folder, "log")], {
    stdio: "ignore",
  });
  const socket = join(folder, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  await eventually(() => greets(port));
  await eventually(async () => {
    const added = await execa("ssh-add", ["-q", join(folder, "user")], {
      env: { SSH_AUTH_SOCK: socket },
      reject: false,
    });
    return added.exitCode === 0;
  });
  return {
    target: { client: "ville", host: "127.0.0.1", port, user: "root", hostKey },
    env: { ...process.env, SSH_AUTH_SOCK: socket, GEOCLIC_HOME: folder, XDG_RUNTIME_DIR: folder },
    bin,
    log: () => readFile(join(folder, "log"), "utf8").catch(() => ""),
    cut: async () => {
      await execa("pkill", ["-KILL", "-P", String(sshd.pid)], { reject: false });
    },
    stop: async () => {
      await Promise.all([end(sshd), end(agent)]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("data", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("close", () => socket.destroy());
    setTimeout(() => socket.destroy(), 500).unref();
    socket.once("close", () => resolve(false));
  });
}

async function eventually(check: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it did not come up within some 5 s");
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null) return;
  const ended = new Promise((resolve) => process.once("exit", resolve));
  process.kill("SIGTERM");
  await ended;
}
