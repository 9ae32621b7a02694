/** @module The declared fleet, as commands read it: the stack's configuration and its releases. */

import type { SshTarget } from "../core/commands/ssh.ts";
import { type ClientConfig, type FleetConfig, reachOf, targetOf } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import type { Release } from "../core/release/release.ts";
import { chooseClients } from "../core/rollout/choice.ts";
import { stackFile } from "../outside/stack-file.ts";
import { readReleases } from "../outside/suite-source.ts";
import type { StatusClient } from "../verbs/read-status.ts";

export interface DeclaredClient {
  readonly client: ClientConfig;
  readonly release: Release;
}

/** @throws FleetError of the configuration or the suite */
export async function declaredFleet(
  stack: string | undefined,
): Promise<{ config: FleetConfig; clients: DeclaredClient[] }> {
  const { config } = await fleetConfig(stack);
  return { config, clients: await declaredClients(config) };
}

async function fleetConfig(given: string | undefined): Promise<{ stack: string; config: FleetConfig }> {
  const file = await stackFile(given, { commit: false });
  return { stack: file.stack, config: await file.read() };
}

/** A client's server, detached ones too; no suite is read. @throws FleetError of the configuration, `CLIENTS_NOT_FOUND` */
export async function oneTarget(given: string | undefined, name: string): Promise<SshTarget> {
  const {
    stack,
    config: { clients },
  } = await fleetConfig(given);
  const [client] = chooseClients(
    clients.map((each) => ({ ...each, detached: false })),
    { clients: [name] },
    stack,
  );
  if (!client) throw new FleetError("CLIENTS_MISSING");
  return targetOf(client);
}

/** The client's server at an address, where a fleet declares one. */
export async function targetAt(stack: string | undefined, host: string): Promise<SshTarget | undefined> {
  const found =
    stack === undefined ? await fleetConfig(stack).catch(() => undefined) : await fleetConfig(stack);
  const client = found?.config.clients.find((each) => each.ip === host || reachOf(each) === host);
  return client ? targetOf(client) : undefined;
}

/** Every client with the release that it should run. */
export async function declaredClients(config: FleetConfig): Promise<DeclaredClient[]> {
  const releases = await readReleases(config);
  return config.clients.flatMap((client) => {
    const release = releases.get(client.release ?? config.release ?? "present");
    return release ? [{ client, release }] : [];
  });
}

/**
 * The clients named; without names every one that is converged.
 * @throws FleetError of the configuration, `CLIENTS_NOT_FOUND`, `CLIENT_DETACHED`
 */
export async function chosenFleet(
  given: string | undefined,
  names: readonly string[] = [],
): Promise<{ config: FleetConfig; clients: DeclaredClient[] }> {
  const { stack, config } = await fleetConfig(given);
  const choice = names.length > 0 ? { clients: names } : { all: true };
  const clients = chooseClients(config.clients, choice, stack);
  return { config, clients: await declaredClients({ ...config, clients }) };
}

export function statusClient({ client, release }: DeclaredClient): StatusClient {
  const target = targetOf(client);
  return { target, domain: client.domain, ip: client.ip ?? target.host, release };
}
