/** @module The declared fleet, as commands read it: the stack's configuration and its releases. */
import { readStackConfig } from "../adapters/pulumi.ts";
import { readReleases } from "../adapters/suite-source.ts";
import { type ClientConfig, type FleetConfig, parseStackConfig, reachOf } from "../core/config/stack.ts";
import { readStackValues } from "../core/config/values.ts";
import { FleetError } from "../core/errors.ts";
import type { Release } from "../core/release/release.ts";
import type { StatusClient } from "../operations/read-status.ts";

export interface DeclaredClient {
  readonly client: ClientConfig;
  readonly release: Release;
}

/** @throws FleetError of the configuration or the suite */
export async function declaredFleet(
  stack: string | undefined,
): Promise<{ config: FleetConfig; clients: DeclaredClient[] }> {
  const config = parseStackConfig(readStackValues(await readStackConfig(stack), "geoclic-fleet"));
  if (config.role !== "fleet")
    throw new FleetError("CONFIG_INVALID", {
      problems: `role: expected a stack of the role "fleet", got "${config.role}"`,
    });
  return { config, clients: await declaredClients(config) };
}

/** Every client with the release that it should run. */
export async function declaredClients(config: FleetConfig): Promise<DeclaredClient[]> {
  const releases = await readReleases(config);
  return config.clients.flatMap((client) => {
    const release = releases.get(client.release ?? config.release ?? "present");
    return release ? [{ client, release }] : [];
  });
}

export function statusClient({ client, release }: DeclaredClient): StatusClient {
  const { user, port, hostKey } = client.ssh;
  const host = reachOf(client);
  return {
    target: { client: client.name, host, port, user, hostKey },
    domain: client.domain,
    ip: client.ip ?? host,
    release,
  };
}
