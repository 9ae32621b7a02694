/**
 * @module Imitated servers, one a client: OpenSSH's own sshd that answers at once, HTTP with the challenge, HTTPS with
 * health and release. All on loopback addresses; every SSH connection is counted.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { releaseRoute } from "../../core/naming.ts";
import { type BenchClient, dnsServer } from "../clients.ts";
import { startDns } from "./dns.ts";

export interface Servers {
  /** SSH connections so far. */
  connections(): number;
  /** What is on the servers goes: they are as new. */
  empty(): Promise<void>;
  close(): void;
}

/** The host key that all share, made once. */
export async function ensureHostKey(folder: string): Promise<string> {
  const file = join(folder, "host");
  if (!existsSync(file))
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file]);
  return (await readFile(`${file}.pub`, "utf8")).split(" ").slice(0, 2).join(" ");
}

/** `folder`: with the host key and `tls/`; `publicKey`: the fleet's. Needs the right to listen on ports 22, 53, 80, 443. */
export async function startServers(
  folder: string,
  clients: readonly BenchClient[],
  publicKey: string,
): Promise<Servers> {
  const root = join(folder, "servers");
  await mkdir(root, { recursive: true });
  const config = await writeSshConfig(folder, root, publicKey);
  const [cert, key] = await Promise.all(
    ["server.pem", "server.key"].map((name) => readFile(join(folder, "tls", name))),
  );
  let connections = 0;
  const ssh = (socket: Socket) => {
    connections += 1;
    serveSsh(socket, config, join(folder, "sshd.log"));
  };
  const listening = clients.flatMap(({ reach }) => {
    const answer: http.RequestListener = (request, response) =>
      void respond(join(root, reach), request.url ?? "/", response);
    return [
      createServer({ pauseOnConnect: true }, ssh).listen(22, reach),
      http.createServer(answer).listen(80, reach),
      https.createServer({ cert, key }, answer).listen(443, reach),
    ];
  });
  await Promise.all(listening.map((server: Server) => once(server, "listening")));
  const dns = await startDns(dnsServer, new Map(clients.map(({ domain, ip }) => [domain, ip])));
  return {
    connections: () => connections,
    empty: async () => {
      await rm(root, { recursive: true, force: true });
      await mkdir(root, { recursive: true });
    },
    close: () => {
      for (const server of listening) server.close();
      dns.close();
    },
  };
}

async function writeSshConfig(folder: string, root: string, publicKey: string): Promise<string> {
  const authorized = join(folder, "authorized_keys");
  await writeFile(authorized, `${publicKey}\n`, { mode: 0o600 });
  // Where sshd drops its privileges to; a service makes it otherwise.
  if (process.getuid?.() === 0) await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const file = join(folder, "sshd_config");
  const lines = [
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${authorized}`,
    `AllowUsers ${userInfo().username}`,
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PrintMotd no",
    "PrintLastLog no",
    `SetEnv GEOCLIC_BENCH_SERVERS=${root}`,
    `ForceCommand ${join(import.meta.dirname, "answers.sh")}`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}

/** As inetd: sshd gets the connection itself, so that it sees the address that was called. */
function serveSsh(socket: Socket, config: string, log: string): void {
  const child = spawn("/usr/sbin/sshd", ["-i", "-f", config, "-E", log], {
    stdio: [socket, socket, "ignore"],
  });
  child.once("error", () => socket.destroy());
  child.once("spawn", () => socket.destroy());
  // A connection that is kept for the next command ends by itself.
  child.unref();
}

async function respond(server: string, path: string, response: http.ServerResponse): Promise<void> {
  const read = (name: string) => readFile(join(server, name), "utf8").catch(() => "");
  if (path.startsWith("/.well-known/acme-challenge/")) response.end(await read("token"));
  else if (path === releaseRoute) response.end(JSON.stringify({ release: (await read("release")).trim() }));
  else response.end(JSON.stringify({ status: "healthy" }));
}
