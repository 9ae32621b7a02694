/** @module The fleet stack: every client, the canaries first. */
import * as pulumi from "@pulumi/pulumi";
import { clientAddress } from "../components/client-address.ts";
import { ClientServer } from "../components/client-server.ts";
import { type FleetConfig, reachOf } from "../core/config/stack.ts";
import type { FleetError } from "../core/errors.ts";
import type { Release } from "../core/release/release.ts";

/** What a client's entry in the stack's output `clients` tells. No secret. */
export interface ClientOutput {
  readonly name: string;
  readonly domain: string;
  readonly ip: pulumi.Input<string>;
  readonly reach: string;
  readonly release: string;
  readonly url: string;
  readonly ssh: { readonly user: string; readonly port: number; readonly hostKey: string };
}

/** The clients that this stack declared the last time, from its own outputs. */
export async function formerClients(): Promise<FormerClient[]> {
  const own = new pulumi.StackReference("former", {
    name: `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`,
  });
  const { value } = await own.getOutputDetails("clients");
  return Array.isArray(value) ? (value as FormerClient[]) : [];
}

export type FormerClient = Pick<ClientOutput, "name"> & { readonly ip?: string };

export interface FleetOutputs {
  readonly clients: ClientOutput[];
  readonly fleetKey: pulumi.Output<string>;
  /** First password of each town's administrator, by client. */
  readonly adminPasswords: pulumi.Output<Record<string, string>>;
}

export interface FleetOptions {
  readonly former?: readonly FormerClient[];
  /** A failure in the reader's language. */
  readonly tell?: (error: FleetError) => string;
}

/** `releases`: by id, and the suite's present tree as `present`. */
export function fleetStack(
  config: FleetConfig,
  releases: ReadonlyMap<string, Release>,
  { former = [], tell = ({ message }) => message }: FleetOptions = {},
): FleetOutputs {
  const addresses = new Map(former.map(({ name, ip }) => [name, ip]));
  const isFirst = (client: FleetConfig["clients"][number]) => client.canary && !client.detached;
  const canaries = config.clients.filter(isFirst).map((client) => server(client, []));
  const proven = canaries.flatMap(({ activated }) => activated ?? []);
  const others = config.clients
    .filter((client) => !isFirst(client))
    .map((client) => server(client, client.detached ? [] : proven));
  const servers = [...canaries, ...others];
  return {
    clients: servers.map(({ output }) => output),
    fleetKey: new pulumi.StackReference(config.master).requireOutput("publicKey") as pulumi.Output<string>,
    adminPasswords: pulumi.secret(
      pulumi.all(
        Object.fromEntries(servers.map(({ output, adminPassword }) => [output.name, adminPassword])),
      ),
    ),
  };

  function server(client: FleetConfig["clients"][number], after: readonly pulumi.Resource[]) {
    const wanted = client.release ?? config.release ?? "present";
    const release = releases.get(wanted);
    if (!release) throw new RangeError(`release ${wanted} of ${client.name} was not read`);
    const ip = clientAddress(client, addresses.get(client.name), tell);
    const { activated, adminPassword } = new ClientServer(client.name, {
      client,
      release,
      fleet: config,
      ip,
      after,
    });
    const output: ClientOutput = {
      name: client.name,
      domain: client.domain,
      ip,
      reach: reachOf(client),
      release: release.id,
      url: `https://${client.domain}`,
      ssh: client.ssh,
    };
    return { activated, adminPassword, output };
  }
}
