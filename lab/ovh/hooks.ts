/**
 * @module What the emulated OVH does in the lab: servers that really start, are rebuilt and go, records that really
 * resolve. Each hook may come twice for the same thing.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { checkName, listRecords, setRecord } from "../dns.ts";
import { OPERATOR } from "../layout.ts";
import {
  createServer,
  listServers,
  rebootServer,
  reinstallServer,
  removeServer,
  startServer,
  stopServer,
} from "../server.ts";
import { addressesOf, numberOf } from "./place.ts";
import type { Hooks } from "./world.ts";

export const labHooks: Hooks = {
  async deliver({ serviceName }) {
    const name = serverOf(serviceName);
    const exists = (await listServers()).find((server) => server.name === name);
    // OVH delivers with a password, which nobody of us asks for: no key opens it yet.
    // One that a crash left half made is made anew.
    if (exists && exists.state !== "running") await removeServer(name);
    const server =
      exists?.state === "running"
        ? exists
        : await createServer({ name, authorizedKeys: [], avoid: await numbersInStackFiles() });
    return addressesOf(server.number);
  },
  async rebuild({ serviceName, ips, publicSshKey }) {
    await reinstallServer({
      name: serverOf(serviceName),
      number: numberOf(ips),
      authorizedKeys: publicSshKey === null ? [] : [publicSshKey],
    });
  },
  async power(serviceName, action) {
    const name = serverOf(serviceName);
    const server = (await listServers()).find((each) => each.name === name);
    if (action === "start") await startServer(name);
    else if (action === "reboot") await rebootServer(name);
    else if (server?.state === "running") await stopServer(name);
  },
  async terminate(serviceName) {
    await removeServer(serverOf(serviceName));
  },
  async publish(_zone, addresses, gone) {
    const present = await listRecords();
    for (const name of gone) if (name in present) await setRecord(name, null);
    for (const [name, targets] of addresses) if (isLabName(name)) await setRecord(name, targets);
  },
};

/** A stack file outlives its servers here; OVH gives nobody's address away, so one that a file names is not given again. */
async function numbersInStackFiles(): Promise<number[]> {
  const files = await readdir(join(OPERATOR, "project")).catch(() => []);
  const texts = await Promise.all(
    files.map((file) => readFile(join(OPERATOR, "project", file), "utf8").catch(() => "")),
  );
  return texts.flatMap((text) =>
    [...text.matchAll(/\b10\.77\.0\.(\d+)\b/g)].map((match) => Number(match[1])),
  );
}

/** Name of the lab's server that is a VPS, e.g. `vps-0a1b2c3d`. */
export function serverOf(serviceName: string): string {
  return serviceName.split(".")[0] ?? serviceName;
}

/** The lab's DNS has no wildcards and keeps the zone's own name to itself. */
function isLabName(name: string): boolean {
  try {
    checkName(name);
    return true;
  } catch {
    return false;
  }
}
