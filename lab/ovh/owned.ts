/** @module A VPS that is owned at the lab's OVH already, as somebody who rented it last year has one. */
import { createHash } from "node:crypto";
import { createServer, findServer, type LabServer, listServers } from "../server.ts";
import { addOvhVps } from "./admin.ts";
import { serverOf } from "./hooks.ts";
import { addressesOf } from "./place.ts";

/** Made when it does not exist; `authorizedKeys` open it. The same name gives the same VPS. */
export async function ensureOwnedVps(
  displayName: string,
  authorizedKeys: readonly string[],
): Promise<LabServer & { readonly serviceName: string }> {
  const hex = createHash("sha256").update(displayName).digest("hex").slice(0, 8);
  const serviceName = `vps-${hex}.vps.ovh.net`;
  const name = serverOf(serviceName);
  const exists = (await listServers()).some((server) => server.name === name);
  const server = exists ? await findServer(name) : await createServer({ name, authorizedKeys });
  await addOvhVps({
    ...{ serviceName, displayName, model: "vps-2025-model1", datacenter: "GRA", os: "Debian 13" },
    ips: addressesOf(server.number),
  });
  return { ...server, serviceName };
}
