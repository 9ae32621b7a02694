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
  /** Of the same server, where it is declared. */
  readonly ipv6?: string | undefined;
  /** Who was asked, for the message. */
  readonly servers: string;
}

/**
 * @returns IPv6 addresses that nobody declared: they must answer as the server before a certificate is asked for
 * @throws FleetError `DNS_MISSING` or `DNS_ELSEWHERE`
 */
export function checkDns(question: DnsQuestion, answer: DnsAnswer): string[] {
  const { domain, ip, ipv6, servers } = question;
  const { a, aaaa } = answer;
  if (a.length === 0 && aaaa.length === 0) throw new FleetError("DNS_MISSING", { domain, ip, servers });
  if (!a.includes(ip) || a.some((address) => address !== ip)) throw elsewhere(question, answer);
  return aaaa.filter((address) => ipv6 === undefined || shortIpv6(address) !== shortIpv6(ipv6));
}

export function elsewhere({ domain, ip, ipv6, servers }: DnsQuestion, { a, aaaa }: DnsAnswer): FleetError {
  const expected = [ip, ipv6].filter(Boolean).join(", ");
  return new FleetError("DNS_ELSEWHERE", { domain, ip, expected, servers, got: [...a, ...aaaa].join(", ") });
}

/** The one short form of an IPv6 address, as DNS servers' answers are read too. */
export function shortIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}
