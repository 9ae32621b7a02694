/** @module A DNS zone at OVH, by its API. */
import { z } from "zod";
import { FleetError } from "../core/errors.ts";
import type { Zone } from "../core/ports.ts";
import { openOvh } from "./ovh/client.ts";

const Ids = z.array(z.int());
const Record = z.object({
  id: z.int(),
  fieldType: z.string(),
  subDomain: z
    .string()
    .nullish()
    .transform((text) => text ?? ""),
  target: z.string(),
});

/**
 * Everything that we and Pulumi's provider do with a zone is asked for first: without the right to refresh, a record is made
 * and never resolves.
 * @throws FleetError of the credentials or `OVH_RIGHTS`; when a record is looked at, `ZONE_UNKNOWN`
 */
export async function openZone(zone: string): Promise<Zone> {
  const ovh = await openOvh();
  const root = `/domain/zone/${zone}`;
  await ovh.checkRights([
    { method: "GET", path: `${root}/record*` },
    { method: "POST", path: `${root}/record` },
    { method: "PUT", path: `${root}/record/*` },
    { method: "DELETE", path: `${root}/record/*` },
    { method: "POST", path: `${root}/refresh` },
  ]);
  const unlessUnknown = (error: unknown) => {
    if (isMissing(error)) throw new FleetError("ZONE_UNKNOWN", { zone });
    throw error;
  };
  return {
    async records(subDomain) {
      const path = `${root}/record?subDomain=${encodeURIComponent(subDomain)}`;
      const ids = await ovh.get(path, { schema: Ids }).catch(unlessUnknown);
      const records = await Promise.all(
        ids.map((id) =>
          ovh.get(`${root}/record/${id}`, { schema: Record }).catch((error: unknown) => {
            // Gone between the list and the look.
            if (isMissing(error)) return undefined;
            throw error;
          }),
        ),
      );
      return records.flatMap((record) => record ?? []);
    },
    async remove(id) {
      await ovh.delete(`${root}/record/${id}`, { idempotent: true }).catch((error: unknown) => {
        if (!isMissing(error)) throw error;
      });
    },
    async refresh() {
      await ovh.post(`${root}/refresh`, { idempotent: true });
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof FleetError && error.values.status === 404;
}
