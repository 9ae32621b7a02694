/** @module Faults that tests make on purpose. Each has its cure, and each may be repeated. */
import { readdir, readFile } from "node:fs/promises";
import { docker } from "./docker.ts";
import { LabError } from "./errors.ts";
import { readMirrors } from "./mirrors.ts";
import { ENGINE_ROOTFS, ensureRootfs } from "./rootfs.ts";
import { containerName, execInServer, findServer } from "./server.ts";
import { inTree } from "./tree.ts";

/** Closes a TCP port of the server to the outside: `drop` lets callers wait, `reject` refuses them at once. */
export async function closePort(name: string, port: number, how: "drop" | "reject" = "drop"): Promise<void> {
  await openPort(name, port);
  const verdict = how === "drop" ? "drop" : "reject with tcp reset";
  const table = portTable(port);
  // Before any translation: a port published by the server's own Docker Engine is closed too.
  await onServerNetwork(
    name,
    ["nft", "--file", "-"],
    `table ${table} {
  chain prerouting {
    type filter hook prerouting priority -310;
    iifname "eth0" tcp dport ${port} ${verdict}
  }
}
`,
  );
}

/** Opens a port that `closePort` closed. */
export async function openPort(name: string, port: number): Promise<void> {
  // Adding first makes the deletion succeed when the table is not there.
  await onServerNetwork(
    name,
    ["nft", "--file", "-"],
    `add table ${portTable(port)}\ndelete table ${portTable(port)}\n`,
  );
}

/** Cuts SSH, connections in use included, until `restoreSsh`. */
export async function cutSsh(name: string): Promise<void> {
  await closePort(name, 22, "drop");
}

export async function restoreSsh(name: string): Promise<void> {
  await openPort(name, 22);
}

/** Limits the server's bandwidth in both directions, in kbit/s; null lifts the limit. */
export async function limitBandwidth(name: string, kbit: number | null): Promise<void> {
  const device = await peerDevice(name);
  const queue = (interfaceName: string) =>
    kbit === null
      ? ["tc", "qdisc", "delete", "dev", interfaceName, "root"]
      : [
          "tc",
          "qdisc",
          "replace",
          "dev",
          interfaceName,
          "root",
          "tbf",
          "rate",
          `${kbit}kbit`,
          "burst",
          "32kbit",
          "latency",
          "400ms",
        ];
  const ends = [
    (argv: string[]) => onServerNetwork(name, argv),
    async (argv: string[]) => inTree(await engineTree(), argv),
  ];
  for (const [index, run] of ends.entries()) {
    const done = run(queue(index === 0 ? "eth0" : device));
    // Without a limit there is nothing to delete.
    await (kbit === null ? done.catch(() => "") : done);
  }
}

/** Gives the server new SSH host keys, as a reinstalled machine or an impostor has. Returns the new public key. */
export async function changeHostKey(name: string): Promise<string> {
  const script = "rm -f /etc/ssh/ssh_host_* && ssh-keygen -A && systemctl restart ssh";
  await onServer(name, ["sh", "-c", script]);
  return (await findServer(name)).hostKey;
}

const BALLAST = "/opt/.lab-ballast";

/** Fills the disk of a server made with `diskMiB`, down to `leaveMiB`. @throws LabError without a disk of its own. */
export async function fillDisk(name: string, leaveMiB = 0): Promise<void> {
  const type = await onServer(name, ["findmnt", "--noheadings", "--output", "SOURCE", "--target", "/opt"]);
  if (!type.startsWith("/dev/loop")) {
    throw new LabError(`Server '${name}' has no disk of its own to fill.`, "Create it with diskMiB.");
  }
  await freeDisk(name);
  const free = Number((await onServer(name, ["df", "--output=avail", "-B1", "/opt"])).split("\n")[1]);
  const size = free - leaveMiB * 1024 * 1024;
  // A file system keeps some blocks for itself: the last ones are taken as far as they go.
  if (size > 0) await execInServer(name, ["fallocate", "--length", String(size), BALLAST]);
  if (leaveMiB === 0) await execInServer(name, ["sh", "-c", `cat /dev/zero >> ${BALLAST}`]);
}

/** Gives back what `fillDisk` took. */
export async function freeDisk(name: string): Promise<void> {
  await onServer(name, ["rm", "-f", BALLAST]);
}

function portTable(port: number): string {
  return `inet geoclic_lab_port_${port}`;
}

async function onServer(name: string, argv: readonly string[]): Promise<string> {
  const result = await execInServer(name, argv);
  if (result.exitCode === 0) return result.stdout;
  throw new LabError(`${argv[0]} failed on '${name}': ${result.stderr.trim()}`, "Is the server running?");
}

async function onServerNetwork(name: string, argv: readonly string[], input = ""): Promise<string> {
  const pid = Number(await docker(["inspect", "--format", "{{.State.Pid}}", containerName(name)]));
  return inTree(await engineTree(), argv, { input, networkOf: pid });
}

/** The machine's end of the server's cable. */
async function peerDevice(name: string): Promise<string> {
  const index = (await onServer(name, ["cat", "/sys/class/net/eth0/iflink"])).trim();
  for (const device of await readdir("/sys/class/net")) {
    const own = await readFile(`/sys/class/net/${device}/ifindex`, "utf8").catch(() => "");
    if (own.trim() === index) return device;
  }
  throw new LabError(`The network device of '${name}' was not found.`, "Is the server running?");
}

async function engineTree(): Promise<string> {
  return ensureRootfs(ENGINE_ROOTFS, await readMirrors());
}
