/**
 * @module Buys a VPS for a client and makes it ready to be converged. Killed anywhere, the next run goes on: what costs
 * money is never done twice, and the disk is never emptied once somebody may use it.
 */
import { FleetError } from "../core/errors.ts";
import { Ids, Me, orderRights } from "../core/ovh/answers.ts";
import { Catalogue, DatacenterRules, money, type Offer, offer, type Wish } from "../core/ovh/catalogue.ts";
import {
  type Asked,
  checkWish,
  type OrderEvent,
  type OrderedClient,
  type OrderProgress,
  orderedEntry,
  progressOf,
} from "../core/ovh/order.ts";
import type { OrderContext } from "../core/ovh/order-ports.ts";
import { awaitDelivery } from "./order/await-delivery.ts";
import { buy } from "./order/buy.ts";
import { setUpServer } from "./order/set-up-server.ts";

export interface OrderWish extends Wish {
  readonly client: OrderedClient;
  readonly ssh: { readonly user: string; readonly port: number };
  /** Where the server is reached, with the parts of its address as `{1}` to `{4}`. */
  readonly reach: string;
}

export interface OrderOptions {
  /** Most that it may cost a month, tax included, in whole cents. */
  readonly maxCents?: number;
  readonly waitMinutes: number;
  /** Order of OVH that somebody says to be this one. */
  readonly orderId?: number;
}

/**
 * `wish`: undefined to go on with an order of before.
 * @throws FleetError `ORDER_…`, `OVH_…` or of the connection
 */
export async function orderServer(
  context: OrderContext,
  name: string,
  wish: OrderWish | undefined,
  options: OrderOptions,
): Promise<void> {
  try {
    await run(context, name, wish, options);
  } catch (error) {
    throw error instanceof FleetError ? error.at({ client: name, step: "order" }) : error;
  }
}

async function run(
  context: OrderContext,
  name: string,
  wish: OrderWish | undefined,
  options: OrderOptions,
): Promise<void> {
  const progress = await ask(context, name, wish, options);
  if (progress.declared && progress.serviceName !== undefined) {
    context.report("order.done", { client: name, server: progress.serviceName });
    return;
  }
  await context.ovh.checkRights(orderRights);
  const orderId = progress.orderId ?? options.orderId ?? (await buy(context, progress, options.maxCents));
  if (progress.orderId === undefined) await note(context, { event: "ordered", orderId });
  const serviceName =
    progress.serviceName ?? (await awaitDelivery(context, progress.asked, orderId, options.waitMinutes));
  if (progress.serviceName === undefined) await note(context, { event: "delivered", serviceName });
  const server = progress.reached ?? (await setUpServer(context, progress, serviceName));
  if (progress.reached === undefined) await note(context, { event: "reached", ...server });
  if ((await context.declaredServer(name)) !== serviceName)
    await context.declare(orderedEntry(progress.asked, { ...server, serviceName }));
  await note(context, { event: "declared" });
  context.report("order.declared", { client: name });
}

/** Where the order stands; a new wish is checked, priced and confirmed before it is one. */
async function ask(
  context: OrderContext,
  name: string,
  wish: OrderWish | undefined,
  options: OrderOptions,
): Promise<OrderProgress> {
  const former = progressOf(await context.journal.read());
  const isBegun = former?.checkingOut !== undefined || former?.orderId !== undefined;
  if (former && (isBegun || former.declared)) {
    context.report("order.resumes", { date: former.asked.time });
    return former;
  }
  const server = await context.declaredServer(name);
  if (server !== undefined) throw new FleetError("ORDER_DECLARED", { client: name, server });
  const wanted = wish ?? former?.asked;
  if (!wanted) throw new FleetError("ORDER_OPTIONS", { missing: "--domain, --email, --town" });
  checkWish(wanted);
  await context.ovh.checkRights(orderRights);
  const found = await price(context, wanted);
  await confirm(context, found, options);
  await note(context, { event: "asked", ...asked(wanted, found) });
  const progress = progressOf(await context.journal.read());
  if (!progress)
    throw new FleetError("ORDER_JOURNAL", { file: context.journal.file, cause: "it lost a line" });
  return progress;
}

async function price(context: OrderContext, wish: OrderWish): Promise<Offer> {
  const { ovhSubsidiary } = await context.ovh.get("/me", { schema: Me });
  const subsidiary = `ovhSubsidiary=${encodeURIComponent(ovhSubsidiary)}`;
  const catalogue = await context.ovh.get(`/order/catalog/public/vps?${subsidiary}`, { schema: Catalogue });
  const known = catalogue.plans.some(({ planCode }) => planCode === wish.plan);
  // Asking for the rules of a plan that is not sold is an error of OVH's; ours names what is.
  const rules = known
    ? await context.ovh.get(
        `/vps/order/rule/datacenter?${subsidiary}&planCode=${encodeURIComponent(wish.plan)}&os=${encodeURIComponent(wish.os)}`,
        { schema: DatacenterRules },
      )
    : { datacenters: [] };
  return offer(catalogue, rules, wish);
}

async function confirm(context: OrderContext, found: Offer, { maxCents }: OrderOptions): Promise<void> {
  const shown = money(found.cents.withTax, found.currency);
  if (maxCents !== undefined && found.cents.withTax > maxCents)
    throw new FleetError("ORDER_TOO_DEAR", { price: shown, limit: money(maxCents, found.currency) });
  const methods = await context.ovh.get("/me/payment/method?default=true", { schema: Ids });
  if (methods.length === 0 && found.cents.withTax > 0) throw new FleetError("ORDER_NO_PAYMENT");
  if (!(await context.confirm(found))) throw new FleetError("ORDER_UNCONFIRMED", { price: shown });
}

function asked({ client, ssh, reach }: OrderWish, found: Offer): Omit<Asked, "event"> {
  const { plan, datacenter, os, options, cents, currency } = found;
  return { client, ssh, reach, plan, datacenter, os, options: [...options], cents: cents.withTax, currency };
}

async function note(context: OrderContext, event: OrderEvent): Promise<void> {
  await context.journal.write(event);
}
