/** @module Zones and records. What is changed shows in the API at once and resolves after a refresh only. */
import { badRequest, notFound, type Route } from "./api.ts";
import type { ZoneRecordState, ZoneState } from "./state.ts";
import type { World } from "./world.ts";

const types = "A AAAA CAA CNAME DKIM DMARC DNAME LOC MX NAPTR NS PTR SPF SRV SSHFP TLSA TXT".split(" ");

export function newZone(name: string, now: number): ZoneState {
  return { name, serial: 2_026_100_501, lastUpdate: new Date(now).toISOString(), records: [], published: [] };
}

export function zoneRoutes(world: World): Route[] {
  const { state } = world;
  const zoneOf = (part: Readonly<Record<string, string>>) => {
    const zone = state.zones.find(({ name }) => name === part.zone);
    if (!zone) throw notFound("This service does not exist");
    return zone;
  };
  const recordOf = (part: Readonly<Record<string, string>>) => {
    const zone = zoneOf(part);
    const record = zone.records.find(({ id }) => String(id) === part.id);
    if (!record) throw notFound(`The requested object (id = ${part.id}) does not exist`);
    return { zone, record };
  };
  const shown = (zone: ZoneState, record: ZoneRecordState) => ({ zone: zone.name, ...record });
  const route = (method: string, path: string, handle: Route["handle"]): Route => ({
    method,
    pattern: `/domain/zone${path}`,
    isPublic: false,
    handle,
  });
  return [
    route("GET", "", () => state.zones.map(({ name }) => name)),
    route("GET", "/{zone}", ({ part }) => {
      const { name, lastUpdate } = zoneOf(part);
      return {
        name,
        lastUpdate,
        dnssecSupported: true,
        hasDnsAnycast: false,
        nameServers: ["dns101.ovh.net", "ns101.ovh.net"],
        iam: { id: name, urn: `urn:v1:eu:resource:dnsZone:${name}`, displayName: name, tags: {} },
      };
    }),
    route("GET", "/{zone}/status", ({ part }) => {
      const errors = conflicts(zoneOf(part));
      return { isDeployed: errors.length === 0, errors: errors.length > 0 ? errors : null, warnings: null };
    }),
    route("GET", "/{zone}/soa", ({ part }) => ({
      ...{ server: "dns101.ovh.net.", email: "tech.ovh.net.", serial: zoneOf(part).serial },
      ...{ refresh: 86_400, expire: 3_600_000, nxDomainTtl: 300, ttl: 3600 },
    })),
    route("GET", "/{zone}/export", ({ part }) => exported(zoneOf(part))),
    route("GET", "/{zone}/record", ({ part, query }) => {
      const wanted = { fieldType: query.get("fieldType"), subDomain: query.get("subDomain") };
      return zoneOf(part)
        .records.filter(
          (record) =>
            (wanted.fieldType === null || record.fieldType === wanted.fieldType) &&
            (wanted.subDomain === null || record.subDomain === wanted.subDomain),
        )
        .map(({ id }) => id);
    }),
    route("POST", "/{zone}/record", ({ part, body }) => {
      const zone = zoneOf(part);
      const record = checked({
        id: world.newId(),
        fieldType: String(body.fieldType),
        subDomain: String(body.subDomain ?? ""),
        target: String(body.target ?? ""),
        ttl: Number(body.ttl ?? 0),
      });
      zone.records.push(record);
      return shown(zone, record);
    }),
    route("GET", "/{zone}/record/{id}", ({ part }) => {
      const { zone, record } = recordOf(part);
      return shown(zone, record);
    }),
    route("PUT", "/{zone}/record/{id}", ({ part, body }) => {
      const { record } = recordOf(part);
      const changed = checked({
        ...record,
        ...(body.subDomain === undefined ? {} : { subDomain: String(body.subDomain) }),
        ...(body.target === undefined ? {} : { target: String(body.target) }),
        ...(body.ttl === undefined ? {} : { ttl: Number(body.ttl) }),
      });
      Object.assign(record, changed);
      return null;
    }),
    route("DELETE", "/{zone}/record/{id}", ({ part }) => {
      const { zone, record } = recordOf(part);
      zone.records.splice(zone.records.indexOf(record), 1);
      return null;
    }),
    route("POST", "/{zone}/refresh", async ({ part }) => {
      const zone = zoneOf(part);
      const former = addresses(zone, zone.published);
      zone.published = structuredClone(zone.records);
      zone.serial += 1;
      zone.lastUpdate = new Date(world.now()).toISOString();
      const present = addresses(zone, zone.published);
      await world.hooks.publish(
        zone.name,
        present,
        [...former.keys()].filter((name) => !present.has(name)),
      );
      return null;
    }),
  ];
}

/** Addresses by full name, as name servers answer them. */
export function addresses(zone: ZoneState, records: readonly ZoneRecordState[]): Map<string, string[]> {
  const byName = new Map<string, string[]>();
  for (const { fieldType, subDomain, target } of records) {
    if (fieldType !== "A" && fieldType !== "AAAA") continue;
    const name = subDomain === "" ? zone.name : `${subDomain}.${zone.name}`;
    byName.set(name, [...new Set([...(byName.get(name) ?? []), target])]);
  }
  return byName;
}

/** OVH quotes texts and raises short times to live without a word. */
function checked(record: ZoneRecordState): ZoneRecordState {
  const { fieldType, target, ttl } = record;
  if (!types.includes(fieldType)) throw badRequest(`Invalid field type ${fieldType}`);
  if (target === "" || (fieldType === "A" && !/^\d{1,3}(\.\d{1,3}){3}$/.test(target)))
    throw badRequest(`Invalid target ${target} for a record of type ${fieldType}`);
  return {
    ...record,
    target: fieldType === "TXT" && !target.startsWith('"') ? `"${target}"` : target,
    ttl: ttl > 0 && ttl < 60 ? 60 : ttl,
  };
}

function conflicts({ records }: ZoneState): string[] {
  return records
    .filter(({ fieldType }) => fieldType === "CNAME")
    .filter(({ id, subDomain }) => records.some((other) => other.id !== id && other.subDomain === subDomain))
    .map(({ subDomain }) => `${subDomain}: CNAME and other data`);
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
