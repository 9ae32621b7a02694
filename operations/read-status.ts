/** @module Asks every server at once; a dead one costs its time-out once and hides nobody. */
import { serverCommand } from "../core/commands/shell.ts";
import type { SshTarget } from "../core/commands/ssh.ts";
import { ClientFacts } from "../core/facts/client.ts";
import { shownRelease, unhealthy } from "../core/health.ts";
import { releaseRoute } from "../core/naming.ts";
import type { StepContext } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";

const step = "status";

export interface StatusClient {
  readonly target: SshTarget;
  readonly domain: string;
  readonly ip: string;
  readonly release: Release;
}

export interface ClientStatus {
  readonly name: string;
  readonly domain: string;
  readonly ip: string;
  readonly reach: string;
  readonly url: string;
  readonly health: "healthy" | "unhealthy" | "unreachable";
  /** Why it is not healthy. */
  readonly cause?: string;
  /** Release that the town shows from outside. */
  readonly release?: string;
  readonly desiredRelease: string;
  /** What the server tells; absent when SSH fails, with the reason. */
  readonly facts?: ClientFacts;
  readonly sshError?: string;
}

/** One entry a client, in the order given. Never throws for a client's failure. */
export function readStatus(
  context: Pick<StepContext, "openSsh" | "get">,
  clients: readonly StatusClient[],
): Promise<ClientStatus[]> {
  return Promise.all(clients.map((client) => clientStatus(context, client)));
}

async function clientStatus(
  context: Pick<StepContext, "openSsh" | "get">,
  { target, domain, ip, release }: StatusClient,
): Promise<ClientStatus> {
  const rule = release.adapter.health;
  const ask = (path: string) =>
    context
      .get({ protocol: "https", host: target.host, domain, path, timeoutSeconds: 8 })
      .catch((error: Error) => error);
  const [health, shown, facts] = await Promise.all([ask(rule.path), ask(releaseRoute), askFacts()]);
  const cause = health instanceof Error ? health.message : unhealthy(rule, health);
  const running = shown instanceof Error ? undefined : shownRelease(shown);
  return {
    name: target.client,
    domain,
    ip,
    reach: target.host,
    url: `https://${domain}`,
    health: cause === undefined ? "healthy" : health instanceof Error ? "unreachable" : "unhealthy",
    ...(cause === undefined ? {} : { cause }),
    ...(running === undefined ? {} : { release: running }),
    desiredRelease: release.id,
    ...facts,
  };

  async function askFacts(): Promise<Pick<ClientStatus, "facts" | "sshError">> {
    try {
      const ssh = await context.openSsh(target);
      const command = serverCommand("facts", "--client", target.client, "--json");
      const { stdout } = await ssh.run(step, command, { timeoutSeconds: 20 });
      return { facts: ClientFacts.parse(JSON.parse(stdout)) };
    } catch (error) {
      return { sshError: (error as Error).message };
    }
  }
}
