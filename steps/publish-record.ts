/** @module Makes sure that a client's record is what the zone's own servers answer, before anything builds on it. */
import { checkDns, elsewhere, shortIpv6 } from "../core/certificate/dns.ts";
import { doubles, subDomainOf } from "../core/dns/record.ts";
import { FleetError } from "../core/errors.ts";
import type { StepContext } from "../core/ports.ts";

/** Making a record asks OVH to publish its zone; that mostly takes a few seconds. */
const firstWaitSeconds = 15;
/** And when nobody published it, we ask once more and give it this long. */
const lastWaitSeconds = 120;

export interface PublishInput {
  readonly domain: string;
  readonly zone: string;
  readonly ip: string;
  readonly ipv6?: string | undefined;
  /** OVH's id of the client's A record. */
  readonly record: number;
  /** Of its AAAA record, where it has one. */
  readonly recordIpv6?: number | undefined;
  /** Authoritative servers, `address:port`; none: those that the zone names. */
  readonly nameServers: readonly string[];
}

type Context = Pick<
  StepContext,
  "openZone" | "nameServersOf" | "resolve" | "refreshZone" | "now" | "sleep" | "report"
>;

/** @throws FleetError `DNS_UNPUBLISHED`, `ZONE_SERVERS_UNKNOWN` or OVH's */
export async function publishRecord(context: Context, input: PublishInput): Promise<void> {
  const servers = input.nameServers.length > 0 ? input.nameServers : await serversOf(context, input.zone);
  const removed = await removeDoubles(context, input);
  // Not earlier: a double that is removed now is published by no refresh of before.
  const began = context.now();
  if (removed > 0 || (await problemAfter(context, input, servers, firstWaitSeconds)) !== undefined) {
    const zone = await context.openZone(input.zone);
    // Whoever else asked for it after this record was made has asked for it too.
    const asked = await context.refreshZone(input.zone, began, () => zone.refresh());
    context.report(`zone ${input.zone} ${asked ? "published" : "was published meanwhile"}`);
    const problem = await problemAfter(context, input, servers, lastWaitSeconds);
    if (problem !== undefined)
      throw new FleetError("DNS_UNPUBLISHED", {
        domain: input.domain,
        ip: input.ip,
        zone: input.zone,
        seconds: lastWaitSeconds,
        cause: problem,
      });
  }
  context.report(
    `${input.domain} → ${[input.ip, input.ipv6].filter(Boolean).join(", ")} at ${servers.join(", ")}`,
  );
}

async function serversOf(context: Context, zone: string): Promise<readonly string[]> {
  const servers = await context.nameServersOf(zone).catch((error: Error) => {
    throw new FleetError("ZONE_SERVERS_UNKNOWN", { zone, cause: error.message });
  });
  if (servers.length === 0) throw new FleetError("ZONE_SERVERS_UNKNOWN", { zone, cause: "it names none" });
  return servers;
}

async function removeDoubles(context: Context, input: PublishInput): Promise<number> {
  const { domain, zone, ip, record, ipv6, recordIpv6 } = input;
  const opened = await context.openZone(zone);
  const records = await opened.records(subDomainOf(domain, zone));
  const repeated = [
    ...doubles(records, { id: record, address: ip }),
    ...(ipv6 !== undefined && recordIpv6 !== undefined
      ? doubles(records, { id: recordIpv6, address: ipv6 })
      : []),
  ];
  for (const id of repeated) {
    await opened.remove(id);
    context.report(`record ${id} of ${domain} only repeated this one: removed`);
  }
  return repeated.length;
}

/** The problem that is still there after some seconds; undefined as soon as every server answers rightly. */
async function problemAfter(
  context: Context,
  { domain, ip, ipv6 }: PublishInput,
  servers: readonly string[],
  seconds: number,
): Promise<string | undefined> {
  const end = context.now() + seconds * 1000;
  for (;;) {
    const problem = (await Promise.all(servers.map(ask))).find((each) => each !== undefined);
    if (problem === undefined || context.now() >= end) return problem;
    await context.sleep(1000);
  }

  async function ask(server: string): Promise<string | undefined> {
    try {
      const question = { domain, ip, ipv6, servers: server };
      const answer = await context.resolve(domain, [server]);
      const isWhole = ipv6 === undefined || answer.aaaa.some((address) => shortIpv6(address) === ipv6);
      if (checkDns(question, answer).length > 0 || !isWhole) throw elsewhere(question, answer);
      return undefined;
    } catch (error) {
      return `${server}: ${error instanceof FleetError ? error.code : (error as Error).message}`;
    }
  }
}
