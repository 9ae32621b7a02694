/** @module Declared clients, as many as wanted, each with a name, a domain and addresses of its own. */

export interface BenchClient {
  readonly name: string;
  readonly domain: string;
  /** In the range that RFC 2544 keeps for benchmarks: nobody is there. */
  readonly ip: string;
  /** On this machine's loopback. */
  readonly reach: string;
}

export const dnsServer = "127.1.255.53";

export function benchClients(count: number): BenchClient[] {
  return Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(3, "0");
    const place = `${Math.floor(index / 200)}.${(index % 200) + 1}`;
    return {
      name: `ville-${number}`,
      // A registered domain each: Let's Encrypt's budget for one is for 45.
      domain: `ville-${number}.test`,
      ip: `198.18.${place}`,
      reach: `127.1.${place}`,
    };
  });
}

/** A fleet stack's configuration. The first client is a canary, as a fleet should have one. */
export function benchFleet(
  clients: readonly BenchClient[],
  { suite, user, hostKey }: { readonly suite: string; readonly user: string; readonly hostKey: string },
): Record<string, unknown> {
  return {
    role: "fleet",
    suite: { path: suite },
    build: "client",
    acme: { server: "https://acme.test/dir" },
    dnsServers: [`${dnsServer}:53`],
    protect: false,
    clients: clients.map(({ name, domain, ip, reach }, index) => ({
      name,
      domain,
      email: `admin@${domain}`,
      town: `Mairie de ${name}`,
      ip,
      reach,
      ssh: { user, hostKey },
      ...(index === 0 ? { canary: true } : {}),
    })),
  };
}
