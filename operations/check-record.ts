/** @module Looks at a client's name in its zone before a record is made there: conflicts are refused, nothing is written. */
import { checkRecords, subDomainOf } from "../core/dns/record.ts";
import { FleetError } from "../core/errors.ts";
import type { StepContext } from "../core/ports.ts";
import type { RecordInput } from "../core/steps/inputs.ts";

const step = "record";

/**
 * `former`: what the step returned when it last succeeded, if it ever did: the record of that address is the client's own.
 * @returns one line to be handed in as `former` the next time
 * @throws FleetError `RECORD_CONFLICT`, `ZONE_UNKNOWN` or OVH's
 */
export async function checkRecord(
  context: Pick<StepContext, "openZone">,
  input: RecordInput,
  former: string | undefined,
): Promise<string> {
  const { CLIENT: client, DOMAIN: domain, ZONE: zone, IP: ip } = input;
  try {
    const records = await (await context.openZone(zone)).records(subDomainOf(domain, zone));
    checkRecords({ domain, zone, ip, ...formerAddress(former, domain) }, records);
    return JSON.stringify({ domain, ip });
  } catch (error) {
    throw error instanceof FleetError ? error.at({ client, step }) : error;
  }
}

/** A record of another name than today's is not the client's own. */
function formerAddress(line: string | undefined, domain: string): { former?: string } {
  try {
    const said = JSON.parse(line?.trim() || "{}") as { domain?: string; ip?: string };
    return said.domain === domain && said.ip !== undefined ? { former: said.ip } : {};
  } catch {
    return {};
  }
}
