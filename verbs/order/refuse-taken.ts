/** @module Whether a VPS may be named and set up anew, which empties its disk: never one that somebody knows. */
import { FleetError } from "../../core/errors.ts";
import { Names, ServiceInfos, Vps } from "../../core/ovh/answers.ts";
import { mayBeSince, type OrderProgress } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";

/**
 * A VPS that this order's journal names already may have the client's name, which a run before gave it.
 * @throws FleetError `ORDER_SERVICE_TAKEN`
 */
export async function refuseTaken(
  { ovh, whoKnows }: OrderContext,
  { asked, serviceName: noted }: OrderProgress,
  serviceName: string,
): Promise<void> {
  const client = asked.client.name;
  const refuse = (evidence: string) =>
    new FleetError("ORDER_SERVICE_TAKEN", { server: serviceName, client, evidence });
  const addresses = await ovh.get(`/vps/${serviceName}/ips`, { schema: Names });
  const holder = await whoKnows(serviceName, addresses);
  if (holder !== undefined) throw refuse(holder);
  const { displayName } = await ovh.get(`/vps/${serviceName}`, { schema: Vps });
  const free = ["", serviceName, ...(noted === serviceName ? [client] : [])];
  if (!free.includes(displayName ?? "")) throw refuse(`displayName: ${displayName}`);
  const { creation } = await ovh.get(`/vps/${serviceName}/serviceInfos`, { schema: ServiceInfos });
  if (!mayBeSince(creation, asked.time)) throw refuse(`creation: ${creation}, asked: ${asked.time}`);
}
