/** @module Does a domain point to its server? Read from what DNS servers answered. */
import { FleetError } from "../errors.ts";

export interface DnsAnswer {
  /** IPv4 addresses of the name, in any order. */
  readonly a: readonly string[];
  /** IPv6 addresses of the name. Let's Encrypt asks these first. */
  readonly aaaa: readonly string[];
}

export interface DnsQuestion {
  readonly domain: string;
  readonly ip: string;
  /** Who was asked, for the message. */
  readonly servers: string;
}

/** @throws FleetError `DNS_MISSING` or `DNS_ELSEWHERE` */
export function checkDns({ domain, ip, servers }: DnsQuestion, { a, aaaa }: DnsAnswer): void {
  if (a.length === 0 && aaaa.length === 0) throw new FleetError("DNS_MISSING", { domain, ip, servers });
  const others = [...a.filter((address) => address !== ip), ...aaaa];
  if (others.length > 0 || !a.includes(ip))
    throw new FleetError("DNS_ELSEWHERE", { domain, ip, servers, got: [...a, ...aaaa].join(", ") });
}
