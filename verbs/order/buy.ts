/** @module Cart and checkout: once for a client, whatever becomes of the answer and whoever asks again. */
import { FleetError } from "../../core/errors.ts";
import { Cart, Checkout, Item, Me, Names, Vps } from "../../core/ovh/answers.ts";
import { money } from "../../core/ovh/catalogue.ts";
import type { Asked, CheckedOut, OrderProgress } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";
import { findOrder } from "./find-order.ts";

export interface BuyOptions {
  readonly maxCents?: number;
  /** Somebody looked at OVH and says that the checkout of before bought nothing. */
  readonly buyAgain?: boolean;
}

/** @returns the order's id: a new one, or the one that the run before made */
export async function buy(
  context: OrderContext,
  { asked, checkingOut }: OrderProgress,
  options: BuyOptions,
): Promise<number> {
  const client = asked.client.name;
  if (checkingOut) {
    const { state } = await lookAt(context, checkingOut.cartId);
    // OVH lets a cart be checked out once: the same one again cannot buy a second time.
    if (state === "open") return checkOutAgain(context, asked, checkingOut, options);
    const orderId = await findOrder(context, asked, checkingOut);
    if (orderId !== undefined) return adopt(context, orderId);
    // A cart that is unknown before its time is another account's, or not told: that says nothing about an order.
    if (state === "closed" || context.now() < checkingOut.expires)
      throw new FleetError("ORDER_LOST", { client, cart: checkingOut.cartId });
    if (!options.buyAgain) throw new FleetError("ORDER_UNCERTAIN", { client, date: checkingOut.time });
  }
  // Who is refused here leaves no cart that another one would take for a rival's.
  if (!options.buyAgain) await refuseElsewhere(context, client);
  return send(context, asked, await fillCart(context, asked), options);
}

async function checkOutAgain(
  context: OrderContext,
  asked: Asked,
  checkingOut: CheckedOut,
  options: BuyOptions,
): Promise<number> {
  const { cartId, expires } = checkingOut;
  // Its own cart is too old to be seen as one of a run that is going on.
  if (!options.buyAgain) await openCart(context, asked.client.name);
  try {
    return await send(context, asked, { cartId, expire: new Date(expires).toISOString() }, options);
  } catch (error) {
    const isRefused = error instanceof FleetError && error.values.status === 400;
    if (!isRefused || (await lookAt(context, cartId)).state === "open") throw error;
    const orderId = await findOrder(context, asked, checkingOut);
    if (orderId === undefined)
      throw new FleetError("ORDER_LOST", { client: asked.client.name, cart: cartId });
    return adopt(context, orderId);
  }
}

function adopt(context: OrderContext, orderId: number): number {
  context.report("order.adopted", { order: orderId });
  return orderId;
}

async function send(
  context: OrderContext,
  asked: Asked,
  { cartId, expire }: { readonly cartId: string; readonly expire?: string | null | undefined },
  { maxCents, buyAgain }: BuyOptions,
): Promise<number> {
  await checkPrice(context, asked, cartId, maxCents);
  const { nichandle: account } = await context.ovh.get("/me", { schema: Me });
  const at = await context.ovh.time();
  if (!buyAgain) await refuseElsewhere(context, asked.client.name);
  await context.journal.write({ event: "checkingOut", cartId, account, at, ...(expire ? { expire } : {}) });
  const { orderId } = await context.ovh.post(`/order/cart/${cartId}/checkout`, { schema: Checkout });
  if (orderId === null || orderId === undefined)
    throw new FleetError("ORDER_LOST", { client: asked.client.name, cart: cartId });
  context.report("order.ordered", { order: orderId });
  return orderId;
}

async function lookAt(
  context: OrderContext,
  cartId: string,
): Promise<{ readonly state: "open" | "closed" | "forgotten"; readonly expire?: string | null | undefined }> {
  try {
    const { readOnly, expire } = await context.ovh.get(`/order/cart/${cartId}`, { schema: Cart });
    return { state: readOnly === false ? "open" : "closed", expire };
  } catch (error) {
    if (error instanceof FleetError && error.values.status === 404) return { state: "forgotten" };
    throw error;
  }
}

/** A cart's description, by which another machine knows it. */
const marked = (client: string) => `geoclic-fleet ${client}`;
/** An open cart of a run that goes on is younger: it is filled in seconds. */
const rivalMinutes = 15;
const minute = 60_000;
const day = 24 * 60 * minute;

/**
 * What another machine bought for this client, or is buying now, is at OVH, though no journal here tells it: a cart of its name,
 * and later a server of its name. Who buys has a cart before it looks: of two that buy at once, the one that looks last sees
 * the other's.
 * @throws FleetError `ORDER_ELSEWHERE`, `ORDER_RIVAL`
 */
async function refuseElsewhere(context: OrderContext, client: string): Promise<void> {
  const { ovh } = context;
  const own = new Set(
    (await context.journal.read()).flatMap((line) =>
      line.event === "cart" || line.event === "checkingOut" ? [line.cartId] : [],
    ),
  );
  const description = encodeURIComponent(marked(client));
  for (const cartId of await ovh.get(`/order/cart?description=${description}`, { schema: Names })) {
    if (own.has(cartId)) continue;
    const { state, expire } = await lookAt(context, cartId);
    if (state === "closed") throw new FleetError("ORDER_ELSEWHERE", { client, evidence: `cart ${cartId}` });
    if (state === "forgotten") continue;
    const now = (await ovh.time()) * 1000;
    // OVH keeps a cart for a day from its making on.
    const made = (Date.parse(expire ?? "") || now + day) - day;
    const until = made + rivalMinutes * minute;
    if (now < until)
      throw new FleetError("ORDER_RIVAL", {
        client,
        cart: cartId,
        minutes: Math.max(1, Math.ceil((until - now) / minute)),
      });
  }
  for (const serviceName of await ovh.get("/vps", { schema: Names })) {
    if ((await context.whoKnows(serviceName, [])) !== undefined) continue;
    const { displayName } = await ovh.get(`/vps/${serviceName}`, { schema: Vps }).catch(gone);
    if (displayName === client) throw new FleetError("ORDER_ELSEWHERE", { client, evidence: serviceName });
  }
}

function gone(error: unknown): { readonly displayName: undefined } {
  if (error instanceof FleetError && [404, 460].includes(Number(error.values.status)))
    return { displayName: undefined };
  throw error;
}

/** Noted, so that the next run here does not take it for a rival's. */
async function openCart(context: OrderContext, client: string) {
  const { ovh } = context;
  const { ovhSubsidiary } = await ovh.get("/me", { schema: Me });
  // Repeating these makes carts that nobody checks out.
  const cart = await ovh.post("/order/cart", {
    body: { ovhSubsidiary, description: marked(client) },
    schema: Cart,
    idempotent: true,
  });
  await context.journal.write({ event: "cart", cartId: cart.cartId });
  await ovh.post(`/order/cart/${cart.cartId}/assign`, { idempotent: true });
  return cart;
}

async function fillCart(context: OrderContext, asked: Asked) {
  const { ovh } = context;
  const cart = await openCart(context, asked.client.name);
  const { cartId } = cart;
  context.report("order.cart", { cart: cartId });
  const root = `/order/cart/${cartId}`;
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
  return cart;
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
