/** @module A town of the lab: a server, a DNS record and its entry in the stack. */
import type { ClientConfig } from "../core/config/stack.ts";
import { setRecord } from "./dns.ts";
import { ZONE } from "./layout.ts";
import { createServer, findServer, type LabServer, listServers, type ServerArgs } from "./server.ts";

/** The server of a town, made when it does not exist, its DNS name pointing to it. */
export async function ensureServer(args: ServerArgs): Promise<LabServer> {
  const exists = (await listServers()).some(({ name }) => name === args.name);
  const server = exists ? await findServer(args.name) : await createServer(args);
  await setRecord(domainOf(args.name), server.ip);
  return server;
}

export function domainOf(name: string): string {
  return `${name}.${ZONE}`;
}

/** The entry of an adopted server in the stack file. */
export function clientEntry(server: LabServer, town: string): Record<string, unknown> {
  const entry = {
    name: server.name,
    domain: domainOf(server.name),
    email: `admin@${domainOf(server.name)}`,
    town,
    ip: server.ip,
    reach: server.reach,
    ssh: { user: server.user, port: server.port, hostKey: server.hostKey },
    dns: "external",
  } satisfies Partial<ClientConfig>;
  return entry;
}
