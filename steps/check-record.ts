/** @module Looks at a client's name in its zone before a record is made there: conflicts are refused, nothing is written. */
import { checkRecords, subDomainOf } from "../core/dns/record.ts";
import { FleetError } from "../core/errors.ts";
import type { StepContext } from "../core/ports.ts";
import type { StepInput } from "../core/step/table.ts";

const step = "record";

/**
 * `former`: what the step returned when it last succeeded, if it ever did: the record of that address is the client's own.
 * @returns one line to be handed in as `former` the next time
 * @throws FleetError `RECORD_CONFLICT`, `ZONE_UNKNOWN` or OVH's
 */
export async function checkRecord(
  context: Pick<StepContext, "openZone">,
  input: StepInput<"record">,
  former: string | undefined,
): Promise<string> {
  const { client, domain, zone, ip, ipv6 } = input;
  try {
    const records = await (await context.openZone(zone)).records(subDomainOf(domain, zone));
    checkRecords({ domain, zone, ip, ipv6, former: formerAddresses(former, domain) }, records);
    return JSON.stringify({ domain, ip, ipv6 });
  } catch (error) {
    throw error instanceof FleetError ? error.at({ client, step }) : error;
  }
}

/** A record of another name than today's is not the client's own. */
function formerAddresses(line: string | undefined, domain: string): { ip?: string; ipv6?: string } {
  try {
    const said = JSON.parse(line?.trim() || "{}") as { domain?: string; ip?: string; ipv6?: string };
    return said.domain === domain ? said : {};
  } catch {
    return {};
  }
}
