/** @module The A and AAAA records of a client in a zone at OVH: what may stand beside it, and what may not. */
import { shortIpv6 } from "../certificate/dns.ts";
import { FleetError } from "../errors.ts";

/** A record as OVH gives it. */
export interface ZoneRecord {
  readonly id: number;
  readonly fieldType: string;
  /** Empty for the zone's own name. */
  readonly subDomain: string;
  readonly target: string;
}

/** Types that decide where a name leads; others (TXT, CAA …) may stand beside an address. */
const leading = new Set(["A", "AAAA", "CNAME", "DNAME", "NS"]);

export interface RecordQuestion {
  readonly domain: string;
  readonly zone: string;
  readonly ip: string;
  readonly ipv6?: string | undefined;
  /** Addresses that this client's records had before, when it has some. */
  readonly former?: { readonly ip?: string | undefined; readonly ipv6?: string | undefined };
}

/** The part of a domain before its zone. */
export function subDomainOf(domain: string, zone: string): string {
  return domain.slice(0, -zone.length - 1);
}

/**
 * OVH takes a CNAME, a second address or an AAAA beside an A record without a word, and the name is then broken.
 * @throws FleetError `RECORD_CONFLICT`
 */
export function checkRecords(
  { domain, zone, ip, ipv6, former = {} }: RecordQuestion,
  records: readonly ZoneRecord[],
): void {
  const own = [ip, ipv6, former.ip, former.ipv6].map((address) => address && `${typeOf(address)} ${address}`);
  const others = records.filter(
    ({ fieldType, target }) => leading.has(fieldType) && !own.includes(`${fieldType} ${normal(target)}`),
  );
  if (others.length === 0) return;
  const got = others.map(({ id, fieldType, target }) => `${fieldType} ${target} (${id})`).join(", ");
  throw new FleetError("RECORD_CONFLICT", { domain, zone, ip, got });
}

/** Ids of address records that only repeat the client's own, e.g. one made by hand before. */
export function doubles(
  records: readonly ZoneRecord[],
  own: { readonly id: number; readonly address: string },
): number[] {
  return records
    .filter(
      ({ id, fieldType, target }) =>
        fieldType === typeOf(own.address) && normal(target) === own.address && id !== own.id,
    )
    .map(({ id }) => id);
}

function typeOf(address: string): "A" | "AAAA" {
  return address.includes(":") ? "AAAA" : "A";
}

/** As it is declared; what is no address stays. */
function normal(target: string): string {
  return URL.canParse(`http://[${target}]`) ? shortIpv6(target) : target;
}
