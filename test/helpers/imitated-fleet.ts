/**
 * @module An operator with real stacks on a real engine, and towns whose servers are imitated on loopback: OpenSSH's own
 * sshd with answers of a script, HTTP with the challenge, HTTPS with health and release, DNS.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { privateKeys } from "../../outside/master-stack.ts";
import { type Convergence, converge } from "../../outside/pulumi.ts";
import { startAgent } from "../../bench/agent.ts";
import { ensureCertificate } from "../../bench/peers/authority.ts";
import { startDns } from "../../bench/peers/dns.ts";
import { releaseRoute } from "../../core/naming.ts";
import { makeSuite, type SuiteEdits } from "../../lab/suite/release/make.ts";
import { toolchainEnvironment } from "../../toolchain/environment.ts";
import { killEngine } from "./engine.ts";
import { freePort } from "./ssh-server.ts";

const checkout = resolve(import.meta.dirname, "../..");
const dnsAddress = "127.84.0.53";

/** What the server's answers may be broken at; see imitated-server.sh. */
export type FaultPoint =
  | "sudo"
  | "status"
  | "prepare"
  | "issue"
  | "start"
  | "follow"
  | "environment"
  | "init"
  | "base"
  | "schedules"
  | "build"
  | "rsync";

export interface ImitatedTown {
  readonly name: string;
  readonly domain: string;
  readonly ip: string;
  /** Entry of the stack file. */
  readonly entry: Record<string, unknown>;
  /** Shell text that runs before an answer; null takes it away. */
  fault(point: FaultPoint, script: string | null): Promise<void>;
  /** Whether the fleet's key is let in; without it, open connections end. */
  letIn(isLetIn: boolean): Promise<void>;
  /** Commands that came so far, as shell lines. */
  log(): Promise<string[]>;
  /** A file of the server: `release`, `env`, `init`; empty when it is not there. */
  read(name: "release" | "env" | "init"): Promise<string>;
}

export interface ImitatedFleet {
  readonly folder: string;
  readonly project: string;
  readonly towns: readonly [ImitatedTown, ImitatedTown];
  /** Addresses that the DNS server gives, by domain; tests change them. */
  readonly records: Map<string, string>;
  /** All that the engine showed so far, and every error. */
  readonly shown: string[];
  /** Changes of the stack's configuration, kept for later runs. */
  configure(
    change?: Readonly<Record<string, unknown>>,
    entries?: Readonly<Record<string, object>>,
  ): Promise<void>;
  suite(edits: SuiteEdits): Promise<void>;
  /** `up` through our own door. */
  up(): Promise<Convergence>;
  /** @returns the message of an `up` that must fail */
  fails(): Promise<string>;
  /** An `up` whose engine is killed once a command has come to a server. @returns when it has died */
  killed(town: ImitatedTown, command: string): Promise<void>;
  /** Pulumi's command line, as by hand. */
  byHand(words: readonly string[], env?: NodeJS.ProcessEnv): Promise<{ status: number; output: string }>;
  close(): Promise<void>;
}

const stack = "faults";

/** Makes this process the operator: its environment changes for good. Needs the right to listen on ports 53, 80 and 443. */
export async function startImitatedFleet(): Promise<ImitatedFleet> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-fleet-"));
  const project = join(folder, "project");
  const suite = join(folder, "suite");
  const shown: string[] = [];
  const names = ["ville-a", "ville-b"] as const;
  await ensureCertificate(
    join(folder, "tls"),
    names.map((name) => `${name}.test`),
  );
  await becomeOperator(folder, project);
  await makeSuite("1.0.0", suite);
  await write("master", { role: "master", protect: false });
  const master = await converge({ stack: "master", project, onProgress: () => {} });
  const agent = await startAgent((await privateKeys("master"))[0] ?? "");
  const publicKey = String(master.outputs.publicKey);
  const records = new Map<string, string>();
  const dns = await startDns(dnsAddress, records);
  const servers: Server[] = [];
  const sessions = new Set<ChildProcess>();
  const endings: (() => void)[] = [];
  const towns = [await town(1), await town(2)] as const;
  const config: Record<string, unknown> = {
    role: "fleet",
    suite: { path: suite },
    build: "client",
    acme: { server: "https://acme.test/dir" },
    dnsServers: [`${dnsAddress}:53`],
    protect: false,
  };
  const changes: Record<string, object> = {};
  const fleet: ImitatedFleet = {
    folder,
    project,
    towns,
    records,
    shown,
    async configure(change = {}, entries = {}) {
      Object.assign(config, change);
      Object.assign(changes, entries);
      const clients = towns.map(({ name, entry }) => ({ ...entry, ...changes[name] }));
      await write(stack, { ...config, clients });
    },
    suite: (edits) => makeSuite("1.0.0", suite, edits),
    up: () => converge({ stack, project, onProgress: (line) => void shown.push(line) }),
    async fails() {
      const message = await fleet.up().then(
        () => undefined,
        (error: Error) => error.message,
      );
      if (message === undefined) throw new Error("up succeeded, expected a failure");
      shown.push(message);
      return message;
    },
    async byHand(words, env = {}) {
      const result = await execa("pulumi", [...words, "--stack", stack, "--non-interactive"], {
        cwd: project,
        env,
        all: true,
        reject: false,
        stdin: "ignore",
      });
      shown.push(String(result.all));
      return { status: result.exitCode ?? 127, output: String(result.all) };
    },
    async killed(at, command) {
      const before = (await at.log()).length;
      const run = fleet.up().catch(() => undefined);
      const isThere = async () => (await at.log()).slice(before).some((line) => line.includes(command));
      while (!(await isThere())) await setTimeout(50);
      endings.push(await killEngine(join(folder, "state"), stack));
      await run;
    },
    async close() {
      for (const endOrphans of endings) endOrphans();
      for (const session of sessions) session.kill("SIGKILL");
      for (const server of servers) server.close();
      dns.close();
      agent.kill();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  await fleet.configure();
  return fleet;

  async function write(name: string, values: Readonly<Record<string, unknown>>): Promise<void> {
    const path = join(project, `Pulumi.${name}.yaml`);
    const former = parse(await readFile(path, "utf8").catch(() => "{}")) as Record<string, unknown>;
    const entries = Object.entries(values).map(([key, value]) => [`geoclic-fleet:${key}`, value]);
    await writeFile(path, stringify({ ...former, config: Object.fromEntries(entries) }));
  }

  async function town(number: 1 | 2): Promise<ImitatedTown> {
    const name = names[number - 1] ?? "";
    const own = (file: string) => join(folder, name, file);
    const reach = `127.84.0.${number}`;
    const ip = `198.18.84.${number}`;
    for (const each of ["faults", "home"]) await mkdir(own(each), { recursive: true });
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", own("host")]);
    const hostKey = (await readFile(own("host.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
    await writeSshConfig(own("sshd_config"), own("host"), own("authorized_keys"), join(folder, name));
    const connections = new Set<ChildProcess>();
    const letIn = async (isLetIn: boolean) => {
      await writeFile(own("authorized_keys"), isLetIn ? `${publicKey}\n` : "", { mode: 0o600 });
      // A connection that is open was let in before.
      if (!isLetIn) for (const connection of connections) connection.kill("SIGTERM");
    };
    await letIn(true);
    const port = await freePort();
    const [cert, key] = await Promise.all(
      ["server.pem", "server.key"].map((file) => readFile(join(folder, "tls", file))),
    );
    const answer: http.RequestListener = (request, response) =>
      void respond(own, request.url ?? "/", response);
    const listening = [
      createServer({ pauseOnConnect: true }, serveSsh).listen(port, reach),
      http.createServer(answer).listen(80, reach),
      https.createServer({ cert, key }, answer).listen(443, reach),
    ];
    await Promise.all(listening.map((server: Server) => once(server, "listening")));
    servers.push(...listening);
    records.set(`${name}.test`, ip);
    const read = (file: string) => readFile(own(file), "utf8").catch(() => "");
    return {
      name,
      domain: `${name}.test`,
      ip,
      entry: {
        name,
        domain: `${name}.test`,
        email: `admin@${name}.fr`,
        town: `Mairie de ${name}`,
        ip,
        reach,
        ssh: { user: "root", port, hostKey },
      },
      fault: (point, script) =>
        script === null ? rm(own(`faults/${point}`)) : writeFile(own(`faults/${point}`), `${script}\n`),
      letIn,
      log: async () => (await read("log")).split("\n").filter(Boolean),
      read: async (file) => (await read(file)).trim(),
    };

    /** As inetd: sshd gets the connection itself. */
    function serveSsh(socket: Socket): void {
      const child = spawn("/usr/sbin/sshd", ["-i", "-f", own("sshd_config"), "-E", own("sshd.log")], {
        stdio: [socket, socket, "ignore"],
      });
      sessions.add(child);
      connections.add(child);
      child.once("error", () => socket.destroy());
      child.once("spawn", () => socket.destroy());
      child.once("exit", () => connections.delete(child) && sessions.delete(child));
    }
  }
}

async function becomeOperator(folder: string, project: string): Promise<void> {
  await mkdir(join(folder, "state"), { recursive: true });
  await mkdir(project);
  const own = parse(await readFile(join(checkout, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
  await writeFile(join(project, "Pulumi.yaml"), stringify({ ...own, main: join(checkout, "index.ts") }));
  // What leads elsewhere: another operator's stacks, agent or credentials.
  for (const name of Object.keys(process.env))
    if (/^(PULUMI|OVH|GEOCLIC)_/.test(name) || name === "SSH_AUTH_SOCK") delete process.env[name];
  Object.assign(process.env, toolchainEnvironment(process.env), {
    // Substitutes of plugins warn everywhere else.
    GEOCLIC_LAB: "1",
    GEOCLIC_HOME: folder,
    XDG_RUNTIME_DIR: folder,
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_CONFIG_PASSPHRASE: "faults",
    NODE_EXTRA_CA_CERTS: join(folder, "tls/ca.pem"),
    LC_ALL: "C",
  });
}

async function writeSshConfig(
  file: string,
  hostKey: string,
  authorized: string,
  server: string,
): Promise<void> {
  // Where sshd drops its privileges to; a service makes it otherwise.
  await mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const lines = [
    `HostKey ${hostKey}`,
    `AuthorizedKeysFile ${authorized}`,
    "UsePAM no",
    "StrictModes no",
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PrintMotd no",
    "PrintLastLog no",
    // An empty home: start-up files of whoever runs the test are not the server's.
    `SetEnv GEOCLIC_SERVER=${server} HOME=${join(server, "home")}`,
    `ForceCommand ${join(import.meta.dirname, "imitated-server.sh")}`,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
}

async function respond(
  own: (file: string) => string,
  path: string,
  response: http.ServerResponse,
): Promise<void> {
  const read = (name: string) => readFile(own(name), "utf8").catch(() => "");
  if (path.startsWith("/.well-known/acme-challenge/")) response.end(await read("token"));
  else if (path === releaseRoute) response.end(JSON.stringify({ release: (await read("release")).trim() }));
  else response.end(JSON.stringify({ status: "healthy" }));
}
