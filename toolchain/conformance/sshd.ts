/** @module A private sshd on 127.0.0.1 and a private ssh-agent: keys, configuration and sockets in one folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";

export interface Sshd {
  readonly port: number;
  /** The one user that may log in. */
  readonly user: string;
  /** As one line of authorized_keys. */
  readonly hostKey: string;
  /** Another host's key. */
  readonly otherHostKey: string;
  /** Private key that may log in. */
  readonly privateKey: string;
  /** Socket of an agent that holds it. */
  readonly agent: string;
  stop(): void;
}

/** @param acceptEnv name of the only variable that sshd lets in */
export async function startSshd(folder: string, acceptEnv: string): Promise<Sshd> {
  const path = (name: string) => join(folder, name);
  for (const name of ["host", "other", "user"])
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path(name)]);
  const read = (name: string) => readFile(path(name), "utf8");
  const port = await freePort();
  const configuration = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${path("host")}`,
    `AuthorizedKeysFile ${path("user.pub")}`,
    `PidFile ${path("sshd.pid")}`,
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    `AcceptEnv ${acceptEnv}`,
  ];
  await writeFile(path("sshd_config"), `${configuration.join("\n")}\n`);
  // Where sshd drops its privileges to; a service makes it otherwise.
  if (process.getuid?.() === 0 && !existsSync("/run/sshd")) await mkdir("/run/sshd", { mode: 0o755 });
  const agent = path("agent.sock");
  const children: ChildProcess[] = [
    spawn("/usr/sbin/sshd", ["-D", "-e", "-f", path("sshd_config")], { stdio: "ignore" }),
    spawn("ssh-agent", ["-D", "-a", agent], { stdio: "ignore" }),
  ];
  const sshd = {
    port,
    user: userInfo().username,
    hostKey: (await read("host.pub")).trim(),
    otherHostKey: (await read("other.pub")).trim(),
    privateKey: await read("user"),
    agent,
    stop: () => {
      for (const child of children) child.kill("SIGTERM");
    },
  };
  try {
    await answering({ port });
    await answering({ path: agent });
    await execa("ssh-add", ["-q", path("user")], { env: { SSH_AUTH_SOCK: agent } });
  } catch (error) {
    sshd.stop();
    throw error;
  }
  return sshd;
}

/** A port of 127.0.0.1 on which nothing listens. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("expected a TCP port");
  return address.port;
}

/** @throws Error when nothing answers within 10 seconds */
async function answering(target: { readonly port: number } | { readonly path: string }): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const reached = await new Promise<boolean>((resolve) => {
      const socket = "port" in target ? connect(target.port, "127.0.0.1") : connect(target.path);
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (reached) return;
    await setTimeout(100);
  }
  throw new Error(`nothing answers at ${JSON.stringify(target)} after 10 s`);
}
