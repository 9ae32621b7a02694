/** @module Cart, checkout and what may have become of one whose answer was lost. */
import { FleetError } from "../../core/errors.ts";
import { Cart, Checkout, Ids, Item, Me, OrderExtension } from "../../core/ovh/answers.ts";
import { money } from "../../core/ovh/catalogue.ts";
import type { Asked, OrderProgress } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";

/** OVH's clock and ours may differ by this much. */
const clockMinutes = 10;
const lookSeconds = 60;

/** @returns the order's id: a new one, or the one that the run before made */
export async function buy(
  context: OrderContext,
  progress: OrderProgress,
  maxCents?: number,
): Promise<number> {
  const { asked, checkingOut } = progress;
  if (checkingOut) {
    const state = await stateOf(context, checkingOut.cartId);
    // OVH lets a cart be checked out once: the same one again cannot buy a second time.
    if (state === "open") return checkOut(context, asked, checkingOut, maxCents);
    const orderId = await findOrder(context, asked, checkingOut.time);
    if (orderId !== undefined) return adopt(context, orderId);
    // A cart is forgotten after a day, an order never is: nothing was bought.
    if (state === "closed") throw new FleetError("ORDER_LOST", { client: asked.client.name });
  }
  const cartId = await fillCart(context, asked);
  await checkPrice(context, asked, cartId, maxCents);
  await context.journal.write({ event: "checkingOut", cartId });
  return send(context, asked, cartId);
}

async function checkOut(
  context: OrderContext,
  asked: Asked,
  { cartId, time }: { readonly cartId: string; readonly time: string },
  maxCents: number | undefined,
): Promise<number> {
  try {
    await checkPrice(context, asked, cartId, maxCents);
    return await send(context, asked, cartId);
  } catch (error) {
    const isRefused = error instanceof FleetError && error.values.status === 400;
    if (!isRefused || (await stateOf(context, cartId)) === "open") throw error;
    const orderId = await findOrder(context, asked, time);
    if (orderId === undefined) throw new FleetError("ORDER_LOST", { client: asked.client.name });
    return adopt(context, orderId);
  }
}

function adopt(context: OrderContext, orderId: number): number {
  context.report("order.adopted", { order: orderId });
  return orderId;
}

async function send(context: OrderContext, asked: Asked, cartId: string): Promise<number> {
  const { orderId } = await context.ovh.post(`/order/cart/${cartId}/checkout`, { schema: Checkout });
  if (orderId === null || orderId === undefined)
    throw new FleetError("ORDER_LOST", { client: asked.client.name });
  context.report("order.ordered", { order: orderId });
  return orderId;
}

async function stateOf(context: OrderContext, cartId: string): Promise<"open" | "closed" | "forgotten"> {
  try {
    const { readOnly } = await context.ovh.get(`/order/cart/${cartId}`, { schema: Cart });
    return readOnly === false ? "open" : "closed";
  } catch (error) {
    if (error instanceof FleetError && error.values.status === 404) return "forgotten";
    throw error;
  }
}

/** The one order that it can be; OVH lists a new one with some delay. */
async function findOrder(context: OrderContext, asked: Asked, since: string): Promise<number | undefined> {
  const end = context.now() + lookSeconds * 1000;
  for (;;) {
    const found = await candidates(context, asked, since);
    if (found.length === 1 && found[0] !== undefined) return found[0];
    const client = asked.client.name;
    if (found.length > 1) throw new FleetError("ORDER_AMBIGUOUS", { client, orders: found.join(", ") });
    if (context.now() >= end) return undefined;
    await context.sleep(5000);
  }
}

/** Orders since then of the same plan, place and system, which no other journal has. */
async function candidates(context: OrderContext, asked: Asked, since: string): Promise<number[]> {
  const from = new Date(Date.parse(since) - clockMinutes * 60_000).toISOString();
  const ids = await context.ovh.get(`/me/order?date.from=${encodeURIComponent(from)}`, { schema: Ids });
  const taken = new Set((await context.journal.otherOrders()).map(({ orderId }) => orderId));
  const found: number[] = [];
  for (const id of ids.filter((each) => !taken.has(each))) if (await fits(context, asked, id)) found.push(id);
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

async function fillCart(context: OrderContext, asked: Asked): Promise<string> {
  const { ovh } = context;
  const { ovhSubsidiary } = await ovh.get("/me", { schema: Me });
  // Repeating these makes carts that nobody checks out.
  const { cartId } = await ovh.post("/order/cart", {
    body: { ovhSubsidiary },
    schema: Cart,
    idempotent: true,
  });
  context.report("order.cart", { cart: cartId });
  const root = `/order/cart/${cartId}`;
  await ovh.post(`${root}/assign`, { idempotent: true });
  const terms = { duration: "P1M", pricingMode: "default", quantity: 1 };
  const { itemId } = await ovh.post(`${root}/vps`, {
    body: { ...terms, planCode: asked.plan },
    schema: Item,
  });
  const configurations = { vps_datacenter: asked.datacenter, vps_os: asked.os };
  for (const [label, value] of Object.entries(configurations))
    await ovh.post(`${root}/item/${itemId}/configuration`, { body: { label, value } });
  for (const planCode of asked.options)
    await ovh.post(`${root}/vps/options`, { body: { ...terms, planCode, itemId } });
  return cartId;
}

/** What the cart costs is what was shown, and not above the limit. */
async function checkPrice(
  context: OrderContext,
  asked: Asked,
  cartId: string,
  maxCents: number | undefined,
): Promise<void> {
  const { prices } = await context.ovh.get(`/order/cart/${cartId}/checkout`, { schema: Checkout });
  const cents = Math.round(prices.withTax.value * 100);
  const limit = Math.min(asked.cents, maxCents ?? asked.cents);
  // Taxes are rounded by each part here and on the whole there.
  if (cents > limit + 1)
    throw new FleetError("ORDER_PRICE_CHANGED", {
      got: money(cents, asked.currency),
      shown: money(limit, asked.currency),
    });
}
