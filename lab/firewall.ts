/** @module What Docker changes in the machine's network, remembered before and taken back after. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isPresent } from "./cache.ts";
import { LAB } from "./layout.ts";
import { inTree } from "./tree.ts";

const BEFORE = join(LAB, "network-before.json");
const FORWARDING = "/proc/sys/net/ipv4/ip_forward";
const BRIDGES = ["geoclic-lab0", "geoclic-lab1"];

interface NetworkState {
  readonly forwarding: string;
  /** Output of `iptables-save`. */
  readonly rules: string;
}

/** Remembers the machine's rules and forwarding before the lab's engine starts for the first time. */
export async function rememberNetwork(rootfs: string): Promise<void> {
  const state: NetworkState = {
    forwarding: (await readFile(FORWARDING, "utf8")).trim(),
    rules: await savedRules(rootfs),
  };
  await writeFile(BEFORE, JSON.stringify(state), { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/** Takes back what the lab's engine left: bridges, rules, forwarding. Rules of others stay. */
export async function restoreNetwork(rootfs: string): Promise<void> {
  for (const bridge of BRIDGES) {
    if (await isPresent(`/sys/class/net/${bridge}`)) await inTree(rootfs, ["ip", "link", "delete", bridge]);
  }
  const text = await readFile(BEFORE, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const before = JSON.parse(text) as NetworkState;
  const rules = withoutDocker(await savedRules(rootfs), before.rules);
  await inTree(rootfs, ["iptables-restore"], { input: `${rules}\n` });
  await writeFile(FORWARDING, before.forwarding);
}

/**
 * The rules `current` (as `iptables-save` prints them) without what Docker added since `before`: its chains and
 * policy, unless Docker's chains were there before, and in any case the rules on the lab's bridges.
 */
export function withoutDocker(current: string, before: string): string {
  const hadDocker = /^:DOCKER/m.test(before);
  const acceptedForwards = !/^:FORWARD (DROP|REJECT)/m.test(before);
  return current
    .split("\n")
    .filter(
      (line) =>
        !BRIDGES.some((bridge) => line.includes(bridge)) &&
        !line.includes("10.78.0.") &&
        !line.includes("10.77.0."),
    )
    .filter((line) => hadDocker || !/(^:DOCKER|-[AIj] DOCKER|-A DOCKER)/.test(line))
    .map((line) => (acceptedForwards ? line.replace(/^:FORWARD DROP/, ":FORWARD ACCEPT") : line))
    .join("\n");
}

async function savedRules(rootfs: string): Promise<string> {
  return inTree(rootfs, ["iptables-save"]);
}
