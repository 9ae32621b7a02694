/** @module The Docker Engine of the lab: the machine's own where it is recent, else one from a Debian tree. */
import { spawn } from "node:child_process";
import { chmod, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { authorityCertificate, writeBundle } from "./authority.ts";
import { readEngineHost, writeEngineHost } from "./engine-host.ts";
import { LabError } from "./errors.ts";
import { rememberNetwork, restoreNetwork } from "./firewall.ts";
import { machineAuthorities, uplinkMtu } from "./host.ts";
import { ASSETS, BIN, CACHE, DOCKER_CONFIG, ENGINE_SOCKET, HUB_HOSTS, LAB, LOOPBACK, RUN } from "./layout.ts";

const OWN_HOST = `unix://${ENGINE_SOCKET}`;
const PID_FILE = join(RUN, "engine.pid");
const LOG_FILE = join(RUN, "engine.log");
const OLDEST_USABLE = 24;

/**
 * Links the client programs of the engine's tree into the operator's PATH and DOCKER_CONFIG. They are run by the
 * tree's own loader, so that they work on any Linux machine and see its files.
 */
export async function installClient(rootfs: string): Promise<void> {
  const plugins = join(DOCKER_CONFIG, "cli-plugins");
  await mkdir(BIN, { recursive: true });
  await mkdir(plugins, { recursive: true });
  const programs = {
    [join(BIN, "docker")]: "usr/bin/docker",
    [join(plugins, "docker-buildx")]: "usr/libexec/docker/cli-plugins/docker-buildx",
    [join(plugins, "docker-compose")]: "usr/libexec/docker/cli-plugins/docker-compose",
  };
  for (const [path, program] of Object.entries(programs)) {
    await writeFile(path, loaderScript(rootfs, program));
    await chmod(path, 0o755);
  }
}

/** A shell script that runs `program` of the tree `rootfs` with the tree's own libraries. */
export function loaderScript(rootfs: string, program: string): string {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const libraries = `${rootfs}/usr/lib/x86_64-linux-gnu:${rootfs}/usr/lib/aarch64-linux-gnu`;
  return `#!/bin/sh
for loader in ${quote(`${rootfs}/usr/lib`)}/*-linux-gnu/ld-linux-*.so.*; do
  exec "$loader" --library-path ${quote(libraries)} --argv0 "$0" ${quote(`${rootfs}/${program}`)} "$@"
done
`;
}

/** Makes the engine that the lab uses answer; `isStarted`: it did not before. */
export async function ensureEngine(rootfs: string): Promise<{ readonly isStarted: boolean }> {
  const current = readEngineHost();
  if (current !== undefined && (await engineVersion(current)) !== undefined) return { isStarted: false };
  const given = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
  const host = given !== OWN_HOST && (await isUsable(given)) ? given : OWN_HOST;
  if (host === OWN_HOST) await startOwnEngine(rootfs);
  await writeEngineHost(host);
  return { isStarted: true };
}

/** Version of the engine at `host`, e.g. `26.1.5`; undefined when none answers. */
export async function engineVersion(host: string): Promise<string | undefined> {
  const result = await execa(join(BIN, "docker"), ["version", "--format", "{{.Server.Version}}"], {
    env: { DOCKER_HOST: host, DOCKER_CONFIG },
    reject: false,
    timeout: 10_000,
  });
  return result.exitCode === 0 ? result.stdout.trim() : undefined;
}

/** An engine we can use without changing it: on this machine, with all rights, recent enough for sub-paths of volumes. */
async function isUsable(host: string): Promise<boolean> {
  if (!host.startsWith("unix://")) return false;
  const version = await engineVersion(host);
  if (version === undefined || Number.parseInt(version, 10) < OLDEST_USABLE) return false;
  const { stdout } = await execa(
    join(BIN, "docker"),
    ["info", "--format", "{{.OperatingSystem}} {{.SecurityOptions}}"],
    { env: { DOCKER_HOST: host, DOCKER_CONFIG } },
  );
  return !/Docker Desktop|rootless/.test(stdout);
}

export function isOwnEngine(): boolean {
  return readEngineHost() === OWN_HOST;
}

async function startOwnEngine(rootfs: string): Promise<void> {
  await stopOwnEngine();
  await mkdir(join(LAB, "engine"), { recursive: true });
  const hosts = ["127.0.0.1 localhost", `${LOOPBACK.services} ${HUB_HOSTS.join(" ")}`];
  await writeFile(join(LAB, "engine", "hosts"), `${hosts.join("\n")}\n`);
  const bundle = join(LAB, "engine", "authorities.pem");
  await writeBundle(bundle, [await authorityCertificate(), ...(await machineAuthorities())]);
  await rememberNetwork(rootfs);
  const log = await open(LOG_FILE, "a");
  const engine = spawn(
    "unshare",
    [
      "--mount",
      join(ASSETS, "engine", "start.sh"),
      rootfs,
      LAB,
      RUN,
      String(await uplinkMtu()),
      bundle,
      CACHE,
    ],
    { detached: true, stdio: ["ignore", log.fd, log.fd] },
  );
  engine.unref();
  await log.close();
  for (let attempt = 0; attempt < 150; attempt++) {
    if ((await engineVersion(OWN_HOST)) !== undefined) return;
    if (engine.exitCode !== null) break;
    await sleep(200);
  }
  const lines = (await readFile(LOG_FILE, "utf8")).trimEnd().split("\n").slice(-5).join("\n");
  throw new LabError(
    `The lab's Docker Engine did not start:\n${lines}`,
    `Read ${LOG_FILE}, then run \`up\` again.`,
  );
}

/** Stops the lab's own engine, if it runs, and takes away what it left in the machine's network. */
export async function stopOwnEngine(rootfs?: string): Promise<void> {
  const pid = await ownEnginePid();
  if (pid !== undefined) {
    process.kill(pid, "SIGTERM");
    for (let attempt = 0; attempt < 150 && (await ownEnginePid()) !== undefined; attempt++) await sleep(200);
    if ((await ownEnginePid()) !== undefined) process.kill(pid, "SIGKILL");
  }
  await killLeftContainers();
  await rm(PID_FILE, { force: true });
  await rm(ENGINE_SOCKET, { force: true });
  if (rootfs !== undefined) await restoreNetwork(rootfs);
}

/** Containers whose engine and shims were killed run on with their addresses, and no engine knows them any more. */
async function killLeftContainers(): Promise<void> {
  const isLeft = async (pid: string) => {
    const mounts = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    const root = mounts.split("\n").find((line) => line.split(" ")[4] === "/");
    return root?.includes(`=${LAB}/docker/`) === true;
  };
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name)))
    if (await isLeft(pid)) {
      // It may have ended since.
      try {
        process.kill(Number(pid), "SIGKILL");
      } catch {}
    }
}

/** Process id of the lab's own engine, also its mount namespace's. */
export async function ownEnginePid(): Promise<number | undefined> {
  const pid = Number((await readFile(PID_FILE, "utf8").catch(() => "")).trim());
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return /^(dockerd|start\.sh|sh|env)$/.test(name.trim()) ? pid : undefined;
}
