/** @module Zones and records. What is changed shows in the API at once and resolves after a refresh only. */
import { isIPv4, isIPv6 } from "node:net";
import {
  badRequest,
  type Call,
  conflict,
  type Route,
  route,
  textOf,
  unknownObject,
  unknownService,
  uuidOf,
} from "./api.ts";
import type { ZoneRecordState, ZoneState } from "./state.ts";
import type { World } from "./world.ts";

const types = "A AAAA CAA CNAME DKIM DMARC DNAME LOC MX NAPTR NS PTR SPF SRV SSHFP TLSA TXT".split(" ");
const root = "/domain/zone/{zone}";

export function newZone(name: string, now: number): ZoneState {
  return { name, serial: 2_026_100_501, lastUpdate: new Date(now).toISOString(), records: [], published: [] };
}

export function zoneRoutes(world: World): Route[] {
  const { state } = world;
  const zoneOf = (part: Call["part"]) => {
    const zone = state.zones.find(({ name }) => name === part.zone);
    if (!zone) throw unknownService();
    return zone;
  };
  const recordOf = (part: Call["part"]) => {
    const zone = zoneOf(part);
    const record = zone.records.find(({ id }) => String(id) === part.id);
    if (!record) throw unknownObject("id", part.id);
    return { zone, record };
  };
  return [
    route("GET", "/domain/zone", () => state.zones.map(({ name }) => name)),
    route("GET", root, ({ part }) => shownZone(zoneOf(part))),
    route("GET", `${root}/status`, ({ part }) => {
      const errors = contradictions(zoneOf(part));
      return { isDeployed: errors.length === 0, errors: errors.length > 0 ? errors : null, warnings: null };
    }),
    route("GET", `${root}/soa`, ({ part }) => ({
      ...{ server: "dns101.ovh.net.", email: "tech.ovh.net.", serial: zoneOf(part).serial },
      ...{ refresh: 86_400, expire: 3_600_000, nxDomainTtl: 300, ttl: 3600 },
    })),
    route("GET", `${root}/export`, ({ part }) => exported(zoneOf(part))),
    route("GET", `${root}/record`, ({ part, query }) => {
      const [type, name] = [query.get("fieldType"), query.get("subDomain")];
      return zoneOf(part)
        .records.filter(
          ({ fieldType, subDomain }) =>
            (type === null || fieldType === type) && (name === null || subDomain === name),
        )
        .map(({ id }) => id);
    }),
    route("POST", `${root}/record`, ({ part, body }) => {
      const zone = zoneOf(part);
      const record = checked({
        id: world.newId(),
        fieldType: textOf(body, "fieldType"),
        subDomain: typeof body.subDomain === "string" ? body.subDomain : "",
        target: textOf(body, "target"),
        ttl: timeToLive(body.ttl) ?? 0,
      });
      if (world.rules.strictCname) requireNoContradiction(zone, record);
      zone.records.push(record);
      return shownRecord(zone, record);
    }),
    route("GET", `${root}/record/{id}`, ({ part }) => {
      const { zone, record } = recordOf(part);
      return shownRecord(zone, record);
    }),
    route("PUT", `${root}/record/{id}`, ({ part, body }) => {
      const { zone, record } = recordOf(part);
      const changed = checked({
        ...record,
        ...(typeof body.subDomain === "string" ? { subDomain: body.subDomain } : {}),
        ...(typeof body.target === "string" ? { target: body.target } : {}),
        ttl: timeToLive(body.ttl) ?? record.ttl,
      });
      if (world.rules.strictCname) requireNoContradiction(zone, changed);
      Object.assign(record, changed);
      return null;
    }),
    route("DELETE", `${root}/record/{id}`, ({ part }) => {
      const { zone, record } = recordOf(part);
      zone.records.splice(zone.records.indexOf(record), 1);
      return null;
    }),
    route("POST", `${root}/refresh`, ({ part }) => refresh(world, zoneOf(part))),
  ];
}

/** Puts the records on the name servers. Those that do not follow keep what they had. */
async function refresh({ hooks, now }: World, zone: ZoneState): Promise<null> {
  const records = structuredClone(zone.records);
  const former = addresses(zone, zone.published);
  const present = addresses(zone, records);
  const gone = [...former.keys()].filter((name) => !present.has(name));
  await hooks.publish(zone.name, present, gone);
  zone.published = records;
  zone.serial += 1;
  zone.lastUpdate = new Date(now()).toISOString();
  return null;
}

/** Addresses by full name, as name servers answer them; an alias hides those of its name. */
export function addresses(zone: ZoneState, records: readonly ZoneRecordState[]): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const { fieldType, subDomain, target } of records) {
    if (fieldType !== "A" && fieldType !== "AAAA") continue;
    if (records.some((other) => other.fieldType === "CNAME" && other.subDomain === subDomain)) continue;
    const name = subDomain === "" ? zone.name : `${subDomain}.${zone.name}`;
    byName.set(name, [...new Set([...(byName.get(name) ?? []), target])]);
  }
  return byName;
}

/** OVH quotes texts and raises short times to live without a word. @throws ApiError */
function checked(record: ZoneRecordState): ZoneRecordState {
  const { fieldType, subDomain, target, ttl } = record;
  if (!types.includes(fieldType)) throw badRequest(`Invalid field type ${fieldType}`);
  if (subDomain !== "" && !/^(\*|[a-z0-9_-]{1,63})(\.[a-z0-9_-]{1,63})*$/i.test(subDomain))
    throw badRequest(`Invalid subDomain ${subDomain}`);
  if (!isTarget(fieldType, target))
    throw badRequest(`Invalid target ${target} for a record of type ${fieldType}`);
  return {
    ...record,
    target: fieldType === "TXT" && !target.startsWith('"') ? `"${target}"` : target,
    ttl: ttl > 0 && ttl < 60 ? 60 : ttl,
  };
}

function isTarget(fieldType: string, target: string): boolean {
  if (fieldType === "A") return isIPv4(target);
  if (fieldType === "AAAA") return isIPv6(target);
  if (fieldType === "CNAME") return /^[a-z0-9._-]+$/i.test(target);
  return target !== "";
}

/** @throws ApiError */
function timeToLive(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 2_147_483_647) return Number(value);
  throw badRequest(`Invalid ttl ${String(value)}`);
}

/** @throws ApiError */
function requireNoContradiction({ name, records }: ZoneState, record: ZoneRecordState): void {
  const others = records.filter(({ id }) => id !== record.id);
  const errors = contradictions({ records: [...others, record] });
  if (errors.length > contradictions({ records: others }).length)
    throw conflict(`Zone ${name}: ${errors.at(-1)}`);
}

function contradictions({ records }: Pick<ZoneState, "records">): string[] {
  return records
    .filter(({ fieldType }) => fieldType === "CNAME")
    .filter(({ id, subDomain }) => records.some((other) => other.id !== id && other.subDomain === subDomain))
    .map(({ subDomain }) => `${subDomain}: CNAME and other data`);
}

function shownRecord(zone: ZoneState, { id, subDomain, fieldType, target, ttl }: ZoneRecordState) {
  return { id, zone: zone.name, subDomain, fieldType, target, ttl };
}

function shownZone({ name, lastUpdate }: ZoneState) {
  const urn = `urn:v1:eu:resource:dnsZone:${name}`;
  return {
    ...{ name, lastUpdate, dnssecSupported: true, dnssecActivated: false, hasDnsAnycast: false },
    nameServers: ["dns101.ovh.net", "ns101.ovh.net"],
    iam: { id: uuidOf(urn), urn, displayName: name, tags: {} },
  };
}

function exported({ name, serial, records }: ZoneState): string {
  const lines = records.map(
    ({ subDomain, ttl, fieldType, target }) => `${subDomain || "@"} ${ttl || 3600} IN ${fieldType} ${target}`,
  );
  return [
    "$TTL 3600",
    `@ IN SOA dns101.ovh.net. tech.ovh.net. (${serial} 86400 3600 3600000 300)`,
    `$ORIGIN ${name}.`,
    ...lines,
    "",
  ].join("\n");
}
