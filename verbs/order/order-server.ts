/**
 * @module Buys a VPS for a client and makes it ready to be converged. Killed anywhere, the next run goes on: what costs
 * money is never done twice, and the disk is never emptied once somebody may use it.
 */
import { FleetError } from "../../core/errors.ts";
import { Ids, Me, orderRights } from "../../core/ovh/answers.ts";
import { Catalogue, DatacenterRules, money, type Offer, offer, type Wish } from "../../core/ovh/catalogue.ts";
import {
  type Asked,
  checkWish,
  type OrderEvent,
  type OrderedClient,
  type OrderProgress,
  orderedEntry,
  progressOf,
} from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";
import { awaitDelivery } from "./await-delivery.ts";
import { type BuyOptions, buy } from "./buy.ts";
import { refuseOther } from "./find-order.ts";
import { refuseTaken } from "./refuse-taken.ts";
import { setUpServer } from "./set-up-server.ts";

export interface OrderWish extends Wish {
  readonly client: OrderedClient;
  readonly ssh: { readonly user: string; readonly port: number };
  /** Where the server is reached, with the parts of its address as `{1}` to `{4}`. */
  readonly reach: string;
}

/** `maxCents`: most that it may cost a month, tax included. */
export interface OrderOptions extends BuyOptions {
  readonly waitMinutes: number;
  /** Order of OVH that somebody says to be the one of a checkout whose answer was lost. */
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
  const serviceName = await serviceOf(context, progress, options);
  const server = progress.reached ?? (await setUpServer(context, progress, serviceName));
  if (progress.reached === undefined) await note(context, { event: "reached", ...server });
  if ((await context.declaredServer(name)) !== serviceName)
    await context.declare(orderedEntry(progress.asked, { ...server, serviceName }));
  await note(context, { event: "declared" });
  context.report("order.declared", { client: name });
}

/** The VPS that is delivered, which nobody else knows; noted before anything is changed on it. */
async function serviceOf(
  context: OrderContext,
  progress: OrderProgress,
  options: OrderOptions,
): Promise<string> {
  const { asked, serviceName: noted } = progress;
  const typed = await typedOrder(context, progress, options.orderId);
  if (noted !== undefined) {
    if (!progress.reached) await refuseTaken(context, progress, noted);
    return noted;
  }
  const orderId = typed ?? progress.orderId ?? (await buy(context, progress, options));
  // What is typed is noted when its server was looked at.
  if (typed === undefined && progress.orderId === undefined)
    await note(context, { event: "ordered", orderId });
  const serviceName = await awaitDelivery(context, asked, orderId, options.waitMinutes);
  await refuseTaken(context, progress, serviceName);
  if (typed !== undefined) {
    if (!(await context.confirmService(serviceName))) throw new FleetError("NOT_CONFIRMED");
    await note(context, { event: "ordered", orderId });
  }
  await note(context, { event: "delivered", serviceName });
  return serviceName;
}

/** @throws FleetError `ORDER_NOT_BEGUN`, `ORDER_NOT_IT` */
async function typedOrder(
  context: OrderContext,
  { asked, checkingOut, orderId, serviceName }: OrderProgress,
  typed: number | undefined,
): Promise<number | undefined> {
  if (typed === undefined || typed === orderId) return undefined;
  const client = asked.client.name;
  if (!checkingOut) throw new FleetError("ORDER_NOT_BEGUN", { client, order: typed });
  if (serviceName !== undefined)
    throw new FleetError("ORDER_NOT_IT", { order: typed, client, evidence: context.journal.file });
  await refuseOther(context, asked, checkingOut, typed);
  return typed;
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
    if (!former.declared) await refuseOtherAccount(context, former);
    return former;
  }
  if (options.orderId !== undefined)
    throw new FleetError("ORDER_NOT_BEGUN", { client: name, order: options.orderId });
  const server = await context.declaredServer(name);
  if (server !== undefined) throw new FleetError("ORDER_DECLARED", { client: name, server });
  const wanted = wish ?? former?.asked;
  if (!wanted) throw new FleetError("ORDER_OPTIONS", { missing: "--domain, --email, --town" });
  checkWish(wanted);
  await context.ovh.checkRights(orderRights);
  const { nichandle, ovhSubsidiary } = await context.ovh.get("/me", { schema: Me });
  const found = await price(context, wanted, ovhSubsidiary);
  await confirm(context, found, options);
  await note(context, { event: "asked", ...asked(wanted, found), account: nichandle });
  const progress = progressOf(await context.journal.read());
  if (!progress)
    throw new FleetError("ORDER_JOURNAL", { file: context.journal.file, cause: "it lost a line" });
  return progress;
}

/** To another account the cart is unknown, and so are the order and the server. @throws FleetError `ORDER_OTHER_ACCOUNT` */
async function refuseOtherAccount(context: OrderContext, { asked, account }: OrderProgress): Promise<void> {
  const { nichandle } = await context.ovh.get("/me", { schema: Me });
  if (account !== undefined && account !== nichandle)
    throw new FleetError("ORDER_OTHER_ACCOUNT", { client: asked.client.name, account, got: nichandle });
}

async function price(context: OrderContext, wish: OrderWish, ovhSubsidiary: string): Promise<Offer> {
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
