/** @module The order that a checkout made whose answer was lost: which it can be, and which it cannot. */
import { FleetError } from "../../core/errors.ts";
import { Ids, Order, OrderExtension } from "../../core/ovh/answers.ts";
import { type Asked, type CheckedOut, isDuring, isSince } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";

/** OVH lists a new order with some delay: who decides sooner takes somebody else's for it. */
const lookSeconds = 60;

/** The one order that it can be, after the whole time of looking. @throws FleetError `ORDER_AMBIGUOUS` */
export async function findOrder(
  context: OrderContext,
  asked: Asked,
  checkingOut: CheckedOut,
): Promise<number | undefined> {
  const end = context.now() + lookSeconds * 1000;
  for (;;) {
    const found = await candidates(context, asked, checkingOut);
    const client = asked.client.name;
    if (found.length > 1) throw new FleetError("ORDER_AMBIGUOUS", { client, orders: found.join(", ") });
    if (context.now() >= end) return found[0];
    await context.sleep(5000);
  }
}

/** An order that somebody says to be this one. @throws FleetError `ORDER_NOT_IT` */
export async function refuseOther(
  context: OrderContext,
  asked: Asked,
  checkingOut: CheckedOut,
  orderId: number,
): Promise<void> {
  const refuse = (evidence: string) =>
    new FleetError("ORDER_NOT_IT", { order: orderId, client: asked.client.name, evidence });
  const other = (await context.journal.otherOrders()).find((each) => each.orderId === orderId);
  if (other) throw refuse(`orders/${other.client}.jsonl`);
  const { date } = await context.ovh.get(`/me/order/${orderId}`, { schema: Order });
  if (!isSince(checkingOut, date)) throw refuse(`date: ${date}`);
  if (!(await fits(context, asked, orderId)))
    throw refuse(`not ${asked.plan}, ${asked.datacenter}, ${asked.os}`);
}

/** Orders of the checkout's minutes, of the same plan, place and system, which no other journal has. */
async function candidates(context: OrderContext, asked: Asked, checkingOut: CheckedOut): Promise<number[]> {
  const from = new Date(Math.min(...checkingOut.sent.map((sending) => sending.from))).toISOString();
  const ids = await context.ovh.get(`/me/order?date.from=${encodeURIComponent(from)}`, { schema: Ids });
  const taken = new Set((await context.journal.otherOrders()).map(({ orderId }) => orderId));
  const found: number[] = [];
  for (const id of ids.filter((each) => !taken.has(each))) {
    const { date } = await context.ovh.get(`/me/order/${id}`, { schema: Order });
    if (isDuring(checkingOut, date) && (await fits(context, asked, id))) found.push(id);
  }
  return found;
}

async function fits(context: OrderContext, asked: Asked, orderId: number): Promise<boolean> {
  const root = `/me/order/${orderId}/details`;
  for (const detail of await context.ovh.get(root, { schema: Ids })) {
    const { order } = await context.ovh.get(`${root}/${detail}/extension`, { schema: OrderExtension });
    const value = (label: string) => order.configurations?.find((each) => each.label === label)?.value;
    const same = (label: string, wanted: string) => (value(label) ?? wanted) === wanted;
    if (
      order.plan.code === asked.plan &&
      same("vps_datacenter", asked.datacenter) &&
      same("vps_os", asked.os)
    )
      return true;
  }
  return false;
}
