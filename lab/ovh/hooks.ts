/** @module What the emulated OVH does in the lab: servers that really start, are rebuilt and go, records that really resolve. */
import { listRecords, setRecord } from "../dns.ts";
import { ZONE } from "../layout.ts";
import { createServer, listServers, rebootServer, removeServer, startServer, stopServer } from "../server.ts";
import type { Hooks } from "./world.ts";

/** Name of the lab's server that is a VPS, e.g. `vps-0a1b2c3d`. */
export function serverOf(serviceName: string): string {
  return serviceName.split(".")[0] ?? serviceName;
}

export const labHooks: Hooks = {
  async deliver({ serviceName }) {
    const name = serverOf(serviceName);
    const exists = (await listServers()).find((server) => server.name === name);
    // OVH delivers with a password, which nobody of us asks for: no key opens it yet.
    const server = exists ?? (await createServer({ name, authorizedKeys: [] }));
    return ["2001:41d0:305:2100::1234", server.ip];
  },
  async rebuild({ serviceName, publicSshKey }) {
    const name = serverOf(serviceName);
    const former = (await listServers()).find((server) => server.name === name);
    await removeServer(name);
    await createServer({
      name,
      authorizedKeys: publicSshKey === null ? [] : [publicSshKey],
      ...(former ? { number: former.number } : {}),
    });
  },
  async power(serviceName, action) {
    const name = serverOf(serviceName);
    if (action === "stop") await stopServer(name);
    else if (action === "start") await startServer(name);
    else await rebootServer(name);
  },
  async terminate(serviceName) {
    await removeServer(serverOf(serviceName));
  },
  async publish(_zone, addresses, gone) {
    const present = await listRecords();
    for (const name of gone) if (name in present) await setRecord(name, null);
    for (const [name, targets] of addresses) if (name.endsWith(`.${ZONE}`)) await setRecord(name, targets);
  },
};
