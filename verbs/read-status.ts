/** @module Asks every server at once; a dead one costs its time-out once and hides nobody. */

import pMap from "p-map";
import { serverCommand, withinSeconds } from "../core/commands/shell.ts";
import type { SshTarget } from "../core/commands/ssh.ts";
import { readAnswer } from "../core/facts/answer.ts";
import { ClientFacts } from "../core/facts/client.ts";
import { shownRelease, unhealthy } from "../core/health.ts";
import { reachSeconds } from "../core/limits.ts";
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
  /** HTTP status of the health route; `000` without an answer. */
  readonly health_http: string;
  /** End of the certificate that the ingress has, as OpenSSL writes it; empty when it is not known. */
  readonly ssl_expiry: string;
  readonly ssh_ok: boolean;
  /** What the server tells; absent when SSH fails, with the reason. */
  readonly facts?: ClientFacts;
  readonly sshError?: string;
}

/** More TLS handshakes at once starve each other, and servers that answer would be told as silent. */
const serversAtOnce = 50;

/** One entry a client, in the order given. Never throws for a client's failure. */
export function readStatus(
  context: Pick<StepContext, "openSsh" | "get">,
  clients: readonly StatusClient[],
  /** What a silent server costs. */
  timeoutSeconds = reachSeconds,
): Promise<ClientStatus[]> {
  return pMap(clients, (client) => clientStatus(context, client, timeoutSeconds), {
    concurrency: serversAtOnce,
  });
}

async function clientStatus(
  context: Pick<StepContext, "openSsh" | "get">,
  { target, domain, ip, release }: StatusClient,
  timeoutSeconds: number,
): Promise<ClientStatus> {
  const rule = release.adapter.health;
  const ask = (path: string) =>
    context
      .get({ protocol: "https", host: target.host, domain, path, timeoutSeconds })
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
    health_http: health instanceof Error ? "000" : String(health.status),
    ssl_expiry: openSslDate(facts.facts?.certificate?.notAfter),
    ssh_ok: facts.sshError === undefined,
    ...facts,
  };

  async function askFacts(): Promise<Pick<ClientStatus, "facts" | "sshError">> {
    try {
      const ssh = await context.openSsh(target);
      const command = serverCommand("facts", "--client", target.client, "--json");
      const { stdout } = await ssh.run(step, withinSeconds(timeoutSeconds, command), { timeoutSeconds });
      return { facts: readAnswer(ClientFacts, "facts", stdout) };
    } catch (error) {
      return { sshError: (error as Error).message };
    }
  }
}

/** `Mar 15 12:00:00 2027 GMT` of an ISO time. */
function openSslDate(iso: string | undefined): string {
  const time = new Date(iso ?? "");
  if (Number.isNaN(time.getTime())) return "";
  const [, day, month, year, clock] = time.toUTCString().replace(",", "").split(" ");
  return `${month} ${String(Number(day)).padStart(2)} ${clock} ${year} GMT`;
}
