/** @module Servers of the lab: systemd containers, as a hosting company delivers them. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { diskOptions, removeDisk } from "./disk.ts";
import { docker, dockerOrNothing } from "./docker.ts";
import { labEnvironment } from "./environment.ts";
import { LabError } from "./errors.ts";
import { hasUnifiedCgroups } from "./host.ts";
import { ensureServerImage, PREPARED_IMAGE, SERVER_12_IMAGE, SERVER_IMAGE } from "./images.ts";
import { ADDRESS, LAB, NETWORK, ORIGIN_HOSTS, PREFIX } from "./layout.ts";
import { withLock } from "./lock.ts";
import { readMirrors } from "./mirrors.ts";
import { ensureOrigins } from "./origins.ts";
import { ensureRootfs, PREPARED_ROOTFS, SERVER_12_ROOTFS } from "./rootfs.ts";

/** An address to which no connection is even tried. */
const NOWHERE = "255.255.255.255";

export interface LabServer {
  readonly name: string;
  readonly number: number;
  /** Address in the lab's network, for DNS records. */
  readonly ip: string;
  /** Loopback address at which this machine reaches its ports 22, 80 and 443. */
  readonly reach: string;
  /** Public host key, e.g. `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  readonly user: "ubuntu";
  readonly port: 22;
}

export interface ServerArgs {
  /** Lower case letters, digits and hyphens, at most 40. */
  readonly name: string;
  /** 10 to 49 or 60 to 250; the first free one by default. */
  readonly number?: number;
  /** Numbers that are not given though they are free. */
  readonly avoid?: readonly number[];
  /** Public keys in OpenSSH's format. */
  readonly authorizedKeys: readonly string[];
  /** Size of the disk behind /opt, /var/lib/docker and /var/lib/containerd; unlimited by default. */
  readonly diskMiB?: number;
  /** Memory limit; unlimited by default. */
  readonly memoryMiB?: number;
  /**
   * Debian 13 is out of reach of Docker's repository, as in a closed network, and has all from Debian; Debian 12 needs it.
   * @default "debian-13"
   */
  readonly system?: "debian-12" | "debian-13";
  /** Packages of the base step are there already; of Debian 13 only. @default LAB_PREPARED=1 in the environment */
  readonly isPrepared?: boolean;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Creates a server and waits until it answers on SSH. @throws LabError when the name or number is taken. */
export async function createServer(args: ServerArgs): Promise<LabServer> {
  checkName(args.name);
  await ensureImage(args);
  const number = await withLock(() => createContainer(args));
  return await start(args, number);
}

/** The same server, name, number and addresses, from a fresh disk: another host key, other authorized keys. */
export async function reinstallServer(args: ServerArgs & { readonly number: number }): Promise<LabServer> {
  checkName(args.name);
  await ensureImage(args);
  // Nobody else gets the number in between.
  const number = await withLock(async () => {
    await removeServer(args.name);
    return await createContainer(args);
  });
  return await start(args, number);
}

function imageOf(args: ServerArgs): string {
  if (args.system === "debian-12") return SERVER_12_IMAGE;
  return (args.isPrepared ?? process.env.LAB_PREPARED === "1") ? PREPARED_IMAGE : SERVER_IMAGE;
}

async function ensureImage(args: ServerArgs): Promise<void> {
  const image = imageOf(args);
  if (image === SERVER_IMAGE) return;
  await withLock(async () => {
    const mirrors = await readMirrors();
    const rootfs = image === PREPARED_IMAGE ? PREPARED_ROOTFS : SERVER_12_ROOTFS;
    const python = image === PREPARED_IMAGE ? {} : await ensureOrigins(mirrors);
    await ensureServerImage(await ensureRootfs(rootfs, mirrors), image, python);
  });
}

async function start({ name, authorizedKeys }: ServerArgs, number: number): Promise<LabServer> {
  try {
    await docker(["start", containerName(name)]);
    await writeAuthorizedKeys(name, authorizedKeys);
    await waitForSsh(serverReach(number));
    return await findServer(name);
  } catch (error) {
    await removeServer(name);
    throw error;
  }
}

/** Creates the container, not started, and returns the server's number. */
async function createContainer(args: ServerArgs): Promise<number> {
  const taken = await numbersByName();
  if (taken.has(args.name)) {
    throw new LabError(`Server '${args.name}' exists already.`, "Remove it first, or choose another name.");
  }
  const number = args.number ?? firstFreeNumber([...taken.values(), ...(args.avoid ?? [])]);
  if (!isServerNumber(number) || [...taken.values()].includes(number)) {
    throw new LabError(
      `Number of server '${args.name}': got ${number}, expected a free one from 10 to 49 or 60 to 250.`,
      "Leave it out to get the first free number.",
    );
  }
  await docker([
    ...["create", "--name", containerName(args.name), "--hostname", args.name, "--label", PREFIX],
    ...["--label", `${PREFIX}.server=${args.name}`, "--label", `${PREFIX}.number=${number}`],
    ...["--privileged", "--cgroupns", "private", "--restart", "always"],
    ...["--tmpfs", "/run:mode=755,exec", "--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec,mode=1777"],
    ...["--volume", `${await resolverFile(args.name)}:/etc/resolv.conf`],
    ...(await cgroupOptions()),
    ...(await diskOptions(args.name, args.diskMiB)),
    ...(args.memoryMiB === undefined ? [] : ["--memory", `${args.memoryMiB}m`]),
    ...["--network", NETWORK.name, "--ip", serverIp(number)],
    ...(args.system === "debian-12" ? [] : ["--add-host", `${ORIGIN_HOSTS[0]}:${NOWHERE}`]),
    ...[22, 80, 443].flatMap((port) => ["--publish", `${serverReach(number)}:${port}:${port}`]),
    imageOf(args),
  ]);
  return number;
}

/** Removes a server with its disk; nothing to do when there is none. */
export async function removeServer(name: string): Promise<void> {
  checkName(name);
  await dockerOrNothing(["rm", "--force", "--volumes", containerName(name)]);
  await removeDisk(name);
  await rm(serverFolder(name), { recursive: true, force: true });
}

/** Every server with its container's state: `running`, `restarting`, `exited`, `paused` … */
export async function listServers(): Promise<(LabServer & { readonly state: string })[]> {
  const format = `{{.Label "${PREFIX}.server"}} {{.Label "${PREFIX}.number"}} {{.State}}`;
  const list = await docker(["ps", "--all", "--filter", `label=${PREFIX}.server`, "--format", format]);
  const servers = list
    .split("\n")
    .filter(Boolean)
    .map(async (line) => {
      const [name = "", number = "", state = ""] = line.split(" ");
      const hostKey = state === "running" ? await readHostKey(name) : undefined;
      return { ...describe(name, Number(number), hostKey ?? ""), state };
    });
  return (await Promise.all(servers)).sort((a, b) => a.number - b.number);
}

/** @throws LabError when there is no such server. */
export async function findServer(name: string): Promise<LabServer> {
  const number = (await numbersByName()).get(name);
  if (number === undefined) {
    throw new LabError(`There is no server '${name}'.`, "See `npm run -s lab -- status`.");
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    const hostKey = await readHostKey(name);
    if (hostKey !== undefined) return describe(name, number, hostKey);
    await sleep(100);
  }
  throw new LabError(
    `Server '${name}' has no SSH host key yet.`,
    "Is it running? See `npm run -s lab -- status`.",
  );
}

/** Runs a program as root inside the server, past SSH: for tests. Never throws for the program's own failure. */
export async function execInServer(
  name: string,
  argv: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<ExecResult> {
  const args = ["exec", "--interactive", containerName(name), ...argv];
  const exec = () =>
    execa("docker", args, {
      env: labEnvironment(),
      input: options.stdin ?? "",
      reject: false,
      maxBuffer: 64 * 1024 * 1024,
    });
  let result = await exec();
  // A busy machine fails to start a process now and then; nothing of it has run.
  for (let again = 0; again < 3 && isUnstarted(result); again += 1) result = await exec();
  return { exitCode: result.exitCode ?? 1, stdout: result.stdout, stderr: result.stderr };
}

function isUnstarted({ exitCode, stderr }: { exitCode?: number; stderr: string }): boolean {
  return exitCode === 126 && /OCI runtime exec failed.*(connection reset|init)/.test(stderr);
}

/** An orderly reboot, back when SSH answers again. Addresses, disks and host keys stay. */
export async function rebootServer(name: string): Promise<void> {
  const server = await findServer(name);
  await docker(["restart", "--time", "60", containerName(name)]);
  await waitForSsh(server.reach);
}

/** Switches the server off, as a power cut does. */
export async function stopServer(name: string): Promise<void> {
  await docker(["kill", containerName(name)]);
}

/** Switches the server on, back when SSH answers. */
export async function startServer(name: string): Promise<void> {
  await docker(["start", containerName(name)]);
  await waitForSsh((await findServer(name)).reach);
}

/**
 * Switches every server on: an engine that was killed finds their old control groups when it comes back, and fails to start
 * them. One that fails now too stands in nobody's way: it goes.
 */
export async function startServers(): Promise<void> {
  for (const { name, state } of await listServers())
    if (state !== "running") await startServer(name).catch(() => removeServer(name));
}

/** Kills the server's Docker Engine, which systemd restarts. */
export async function killDockerd(name: string): Promise<void> {
  const result = await execInServer(name, ["systemctl", "kill", "--signal=KILL", "docker.service"]);
  if (result.exitCode === 0) return;
  throw new LabError(
    `The Docker Engine of '${name}' was not killed: ${result.stderr.trim()}`,
    "Is Docker installed there?",
  );
}

/** Waits until an SSH server greets at `host`:22. @throws LabError after `timeoutSeconds`. */
export async function waitForSsh(host: string, timeoutSeconds = 60): Promise<void> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  while (Date.now() < deadline) {
    if (await greets(host)) return;
    await sleep(150);
  }
  throw new LabError(
    `No SSH server answers at ${host}:22 after ${timeoutSeconds} s.`,
    "See `npm run -s lab -- status`.",
  );
}

/** Name of the server's container in the engine. */
export function containerName(name: string): string {
  return `${PREFIX}-server-${name}`;
}

export function serverIp(number: number): string {
  return `10.77.0.${number}`;
}

export function serverReach(number: number): string {
  return `127.0.10.${number}`;
}

/** Numbers 50 to 59 are those of the lab's services. */
export function isServerNumber(number: number): boolean {
  return Number.isInteger(number) && number >= 10 && number <= 250 && (number < 50 || number > 59);
}

/** @throws LabError when all are taken. */
export function firstFreeNumber(taken: readonly number[]): number {
  for (let number = 10; number <= 250; number++) {
    if (isServerNumber(number) && !taken.includes(number)) return number;
  }
  throw new LabError("All 231 numbers of servers are taken.", "Remove a server.");
}

function checkName(name: string): void {
  if (/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) return;
  throw new LabError(
    `Name of a server: got '${name}', expected lower case letters, digits and inner hyphens, at most 40.`,
    "Choose a name such as ville-test.",
  );
}

function describe(name: string, number: number, hostKey: string): LabServer {
  return {
    name,
    number,
    ip: serverIp(number),
    reach: serverReach(number),
    hostKey,
    user: "ubuntu",
    port: 22,
  };
}

function serverFolder(name: string): string {
  return join(LAB, "servers", name);
}

// Docker's own resolv.conf points to a resolver that nested containers cannot reach.
async function resolverFile(name: string): Promise<string> {
  await mkdir(serverFolder(name), { recursive: true });
  const path = join(serverFolder(name), "resolv.conf");
  await writeFile(path, `nameserver ${ADDRESS.dns}\n`);
  return path;
}

/** systemd takes cgroups v1 only when told so. */
async function cgroupOptions(): Promise<string[]> {
  if (await hasUnifiedCgroups()) return [];
  const line = "systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1";
  return ["--env", `SYSTEMD_PROC_CMDLINE=${line}`];
}

async function numbersByName(): Promise<Map<string, number>> {
  const format = `{{.Label "${PREFIX}.server"}} {{.Label "${PREFIX}.number"}}`;
  const list = await docker(["ps", "--all", "--filter", `label=${PREFIX}.server`, "--format", format]);
  const pairs = list
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" "));
  return new Map(pairs.map(([name = "", number = ""]) => [name, Number(number)]));
}

async function writeAuthorizedKeys(name: string, keys: readonly string[]): Promise<void> {
  const script = "install -m 600 -o ubuntu -g ubuntu /dev/stdin /home/ubuntu/.ssh/authorized_keys";
  const stdin = keys.map((key) => `${key.trim()}\n`).join("");
  const result = await execInServer(name, script.split(" "), { stdin });
  if (result.exitCode !== 0) {
    throw new LabError(
      `SSH keys of '${name}' were not written: ${result.stderr.trim()}`,
      "Create the server again.",
    );
  }
}

async function readHostKey(name: string): Promise<string | undefined> {
  const result = await execInServer(name, ["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
  const [type, key] = result.stdout.split(" ");
  return result.exitCode === 0 && type !== undefined && key !== undefined ? `${type} ${key}` : undefined;
}

// Docker's proxy accepts connections even when nothing listens behind it: only the greeting counts.
function greets(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 22, timeout: 2000 });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.on("data", (data) => end(data.toString().startsWith("SSH-2.0")));
    socket
      .on("error", () => end(false))
      .on("timeout", () => end(false))
      .on("close", () => resolve(false));
  });
}
