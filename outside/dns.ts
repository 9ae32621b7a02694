/** @module Asks DNS servers for a name's addresses. */
import { Resolver } from "node:dns/promises";
import type { DnsAnswer } from "../core/certificate/dns.ts";

/** `servers`: `address:port`; none: the machine's own. A name that does not exist gives empty lists. */
export async function resolveDomain(domain: string, servers: readonly string[]): Promise<DnsAnswer> {
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  if (servers.length > 0) resolver.setServers(servers);
  const [a, aaaa] = await Promise.all([
    resolver.resolve4(domain).catch(emptyWhenAbsent),
    resolver.resolve6(domain).catch(emptyWhenAbsent),
  ]);
  return { a, aaaa };
}

/** Addresses of the servers that a zone names as its own, `address:53`. */
export async function nameServersOf(zone: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  const names = await resolver.resolveNs(zone);
  const addresses = await Promise.all(names.map((name) => resolver.resolve4(name)));
  return addresses.flat().map((address) => `${address}:53`);
}

function emptyWhenAbsent(error: unknown): string[] {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOTFOUND" || code === "ENODATA") return [];
  throw error;
}
