/** @module What the lab needs from the machine: Debian packages, and its extra certificate authorities. */
import { readdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { isPresent } from "./cache.ts";
import { LabError } from "./errors.ts";

/** Program → Debian package that brings it. */
const PROGRAMS = {
  mmdebstrap: "mmdebstrap",
  openssl: "openssl",
  rsync: "rsync",
  ssh: "openssh-client",
  "mkfs.ext4": "e2fsprogs",
  losetup: "mount",
  nsenter: "util-linux",
} as const;

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";
const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Installs the missing packages with apt and returns their names. Needs root. @throws LabError without apt. */
export async function ensureHostPackages(): Promise<string[]> {
  const missing: string[] = [];
  for (const [program, name] of Object.entries(PROGRAMS)) {
    const found = await execa("sh", ["-c", 'command -v "$1"', "sh", program], {
      env: { PATH: SYSTEM_PATH },
      reject: false,
    });
    if (found.exitCode !== 0) missing.push(name);
  }
  if (!(await isPresent(KEYRING))) missing.push("debian-archive-keyring");
  if (missing.length === 0) return missing;
  if (!(await isPresent("/usr/bin/apt-get"))) {
    throw new LabError(
      `This machine lacks ${missing.join(", ")} and has no apt-get to install them with.`,
      "Install them by hand, or use a Debian or Ubuntu machine.",
    );
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await execa("apt-get", ["update", "-qq"], { env });
  await execa("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], { env });
  return missing;
}

/** @throws LabError unless this is Linux and root. */
export function requireRoot(): void {
  if (process.platform === "linux" && process.getuid?.() === 0) return;
  throw new LabError(
    `The lab needs Linux and root (systemd containers, mounts), got ${process.platform} and user ${process.getuid?.() ?? "?"}.`,
    "Run it with sudo, or on a Linux machine.",
  );
}

/** Certificate authorities (PEM) that the administrator added to this machine, e.g. a company's proxy. */
export async function machineAuthorities(): Promise<string[]> {
  const folder = "/usr/local/share/ca-certificates";
  const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) =>
    name.endsWith(".crt"),
  );
  const texts = await Promise.all(names.sort().map((name) => readFile(join(folder, name), "utf8")));
  return texts.filter((text) => text.includes("BEGIN CERTIFICATE")).map((text) => text.trimEnd());
}

/** Whether this machine has only the unified cgroup hierarchy (v2). */
export async function hasUnifiedCgroups(): Promise<boolean> {
  const CGROUP2_SUPER_MAGIC = 0x63677270;
  return (await statfs("/sys/fs/cgroup")).type === CGROUP2_SUPER_MAGIC;
}

/** MTU of the way out, in bytes: containers must not send larger packets. */
export async function uplinkMtu(): Promise<number> {
  const routes = await readFile("/proc/net/route", "utf8");
  const device = routes
    .split("\n")
    .map((line) => line.split("\t"))
    .find((fields) => fields[1] === "00000000")?.[0];
  if (device === undefined) return 1500;
  return Number((await readFile(`/sys/class/net/${device}/mtu`, "utf8")).trim());
}
