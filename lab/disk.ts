/** @module Disks of a fixed size for servers: files behind loop devices. */
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { docker, dockerOrNothing } from "./docker.ts";
import { LabError } from "./errors.ts";
import { LAB, PREFIX } from "./layout.ts";

const DISKS = join(LAB, "disks");
/** Folder of the disk → where the server sees it: all that a deployment fills. */
const MOUNTS = { docker: "/var/lib/docker", containerd: "/var/lib/containerd", opt: "/opt" } as const;
const SMALLEST_MIB = 64;

/** Options of `docker create` for a server whose disk has `sizeMiB`; unlimited without it. */
export async function diskOptions(server: string, sizeMiB: number | undefined): Promise<string[]> {
  if (sizeMiB === undefined) {
    return ["--volume", MOUNTS.docker, "--volume", MOUNTS.containerd];
  }
  const volume = await createDisk(server, sizeMiB);
  return Object.entries(MOUNTS).flatMap(([folder, target]) => [
    "--mount",
    `type=volume,source=${volume},target=${target},volume-subpath=${folder}`,
  ]);
}

async function createDisk(server: string, sizeMiB: number): Promise<string> {
  if (!Number.isInteger(sizeMiB) || sizeMiB < SMALLEST_MIB) {
    throw new LabError(
      `Disk of ${server}: got ${sizeMiB} MiB, expected ${SMALLEST_MIB} or more.`,
      "Give a larger disk.",
    );
  }
  await removeDisk(server);
  await mkdir(DISKS, { recursive: true });
  const file = diskFile(server);
  const content = await mkdtemp(join(tmpdir(), "geoclic-disk-"));
  try {
    for (const folder of Object.keys(MOUNTS)) await mkdir(join(content, folder));
    await writeFile(file, "");
    await truncate(file, sizeMiB * 1024 * 1024);
    await execa("mkfs.ext4", ["-q", "-F", "-m", "0", "-d", content, file]);
  } finally {
    await rm(content, { recursive: true, force: true });
  }
  const { stdout: device } = await execa("losetup", ["--find", "--show", file]);
  const options = ["--opt", "type=ext4", "--opt", `device=${device}`];
  return docker(["volume", "create", "--label", PREFIX, ...options, volumeName(server)]);
}

/** Takes the disk of `server` away, if it has one. Its container must be gone. */
export async function removeDisk(server: string): Promise<void> {
  await dockerOrNothing(["volume", "rm", "--force", volumeName(server)]);
  await detach((file) => file === diskFile(server));
  await rm(diskFile(server), { force: true });
}

/** Detaches every disk of the lab. */
export async function detachDisks(): Promise<void> {
  await detach((file) => file.startsWith(`${DISKS}/`));
}

async function detach(isOurs: (file: string) => boolean): Promise<void> {
  const { stdout } = await execa("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"], {
    reject: false,
  });
  for (const line of stdout?.split("\n") ?? []) {
    const [device, file] = line.trim().split(/\s+/);
    if (device !== undefined && file !== undefined && isOurs(file))
      await execa("losetup", ["--detach", device]);
  }
}

function diskFile(server: string): string {
  return join(DISKS, `${server}.img`);
}

function volumeName(server: string): string {
  return `${PREFIX}-disk-${server}`;
}
