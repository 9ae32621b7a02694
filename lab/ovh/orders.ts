/** @module Orders: paid, checked, delivered, at OVH's pace. */
import { randomBytes } from "node:crypto";
import { badRequest, type Call, type Handler, type Route, route, unknownObject, unknownUrl } from "./api.ts";
import { planOf, shownPrice, shownPrices } from "./bill.ts";
import { stuckBy } from "./carts.ts";
import type { Order, OrderLine } from "./state.ts";
import { beginTask } from "./tasks.ts";
import { newVps } from "./vps.ts";
import type { World } from "./world.ts";

const orderPath = "/me/order/{order}";
const linePath = `${orderPath}/details/{detail}`;

export function orderRoutes(world: World): Route[] {
  const { state, rules } = world;
  const ofOrder =
    (handle: (order: Order, call: Call) => unknown): Handler =>
    (call) =>
      handle(orderOf(world, call.part), call);
  const ofLine =
    (handle: (order: Order, line: OrderLine, call: Call) => unknown): Handler =>
    (call) => {
      const order = orderOf(world, call.part);
      return handle(order, lineOf(order, call.part), call);
    };
  return [
    route("GET", "/me/order", ({ query }) => {
      const from = dateOf(query.get("date.from")) ?? 0;
      const to = dateOf(query.get("date.to")) ?? Number.POSITIVE_INFINITY;
      return state.orders
        .filter(({ created }) => created >= from && created <= to)
        .map(({ orderId }) => orderId);
    }),
    route("GET", orderPath, ofOrder(shownOrder)),
    route(
      "GET",
      `${orderPath}/status`,
      ofOrder((order) => statusOf(world, order)),
    ),
    route(
      "GET",
      `${orderPath}/details`,
      ofOrder(({ lines }) => lines.map(({ detailId }) => detailId)),
    ),
    route("GET", linePath, ofLine(shownLine)),
    route(
      "GET",
      `${linePath}/extension`,
      ofLine((order, line) => {
        if (rules.isUs) throw unknownUrl();
        return shownExtension(order, line);
      }),
    ),
    route(
      "GET",
      `${linePath}/operations`,
      ofLine((order) => {
        if (!rules.isUs) throw unknownUrl();
        return order.delivered === null ? [] : [1];
      }),
    ),
    route(
      "GET",
      `${linePath}/operations/{operation}`,
      ofLine((order, line, { part }) => {
        if (!rules.isUs) throw unknownUrl();
        if (order.delivered === null || part.operation !== "1") throw unknownObject("id", part.operation);
        const name = domainOf(order, line);
        const resource = { name, displayName: name, state: "ok" };
        return { id: 1, type: "installation", status: "done", quantity: 1, resource };
      }),
    ),
    route(
      "POST",
      `${orderPath}/pay`,
      ofOrder((order, { body, fault }) => {
        const { id } = (body.paymentMethod ?? {}) as { id?: unknown };
        if (!state.paymentMethods.some((each) => each === id))
          throw badRequest("This payment method is not valid");
        return pay(world, order, fault);
      }),
    ),
    route(
      "POST",
      `${orderPath}/payWithRegisteredPaymentMean`,
      ofOrder((order, { body, fault }) => {
        if (order.priceWithoutTax > 0 || body.paymentMean !== "fidelityAccount")
          throw badRequest("This payment mean cannot pay this order");
        return pay(world, order, fault);
      }),
    ),
    route("GET", "/me/payment/method", () => state.paymentMethods),
    route("GET", "/me/payment/method/{id}", ({ part }) => {
      const id = state.paymentMethods.find((each) => String(each) === part.id);
      if (id === undefined) throw unknownObject("id", part.id);
      return { paymentMethodId: id, paymentType: "CREDIT_CARD", status: "VALID", default: true };
    }),
  ];
}

/** Delivers what is due. */
export function advanceOrders(world: World): void {
  for (const order of world.state.orders)
    if (isDue(world, order)) world.jobs.start(`delivery of ${order.orderId}`, () => deliver(world, order));
}

/** Stuck orders go on by the clock. */
export function releaseOrders({ state }: World): void {
  for (const order of state.orders) order.stuck = null;
}

function pay(world: World, order: Order, fault: Call["fault"]): null {
  if (order.paid !== null) throw badRequest("This order is already paid");
  order.paid = world.now();
  order.stuck ??= stuckBy(fault);
  return null;
}

function statusOf({ now, clock }: World, { paid, delivered, stuck }: Order): string {
  if (delivered !== null) return "delivered";
  if (stuck === "cancelled") return "cancelled";
  if (paid === null) return "notPaid";
  if (now() < paid + clock.check) return "checking";
  return stuck ?? "delivering";
}

function isDue({ now, clock }: World, { paid, delivered, stuck }: Order): boolean {
  return paid !== null && delivered === null && stuck === null && now() >= paid + clock.check + clock.deliver;
}

/** After a crash in between, the same machine is delivered again. */
async function deliver(world: World, order: Order): Promise<void> {
  const { state, hooks, rules } = world;
  order.serviceName ??= `vps-${randomBytes(4).toString("hex")}.vps.ovh.${rules.isUs ? "us" : "net"}`;
  const { serviceName, planCode: model, datacenter, os } = order;
  const ips = await hooks.deliver({ serviceName, os, number: 10 + state.orders.indexOf(order) });
  const vps = newVps(world, { serviceName, model, datacenter, os, ips });
  beginTask(world, vps, { kind: "none" });
  state.vps.push(vps);
  order.delivered = world.now();
}

function orderOf({ state }: World, part: Call["part"]): Order {
  const order = state.orders.find(({ orderId }) => String(orderId) === part.order);
  if (!order) throw unknownObject("orderId", part.order);
  return order;
}

function lineOf({ lines }: Order, part: Call["part"]): OrderLine {
  const line = lines.find(({ detailId }) => String(detailId) === part.detail);
  if (!line) throw unknownObject("orderDetailId", part.detail);
  return line;
}

/** Told at the delivery, not before; an option has none. */
function domainOf({ delivered, serviceName }: Order, { isOption }: OrderLine): string {
  if (isOption) return "*";
  return delivered === null ? "" : (serviceName ?? "");
}

/** @throws ApiError for what is no date */
function dateOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw badRequest(`Invalid date: ${text}`);
  return time;
}

function shownOrder({ orderId, created, priceWithoutTax }: Order) {
  const { withTax, withoutTax, tax } = shownPrices(priceWithoutTax);
  return {
    orderId,
    date: new Date(created).toISOString(),
    expirationDate: new Date(created + 14 * 86_400_000).toISOString(),
    ...{ retractionDate: null, password: "x", pdfUrl: "", url: "" },
    ...{ priceWithTax: withTax, priceWithoutTax: withoutTax, tax },
  };
}

function shownLine(order: Order, line: OrderLine) {
  const { detailId, planCode, isOption, price } = line;
  return {
    orderDetailId: detailId,
    description: isOption ? planCode : planOf(planCode).label,
    domain: domainOf(order, line),
    ...{ quantity: "1", detailType: "DURATION", cancelled: false },
    ...{ unitPrice: shownPrice(price), totalPrice: shownPrice(price) },
  };
}

function shownExtension({ datacenter, os }: Order, { planCode, isOption }: OrderLine) {
  const configurations = [
    { label: "vps_datacenter", value: datacenter },
    { label: "vps_os", value: os },
  ];
  const plan = {
    code: planCode,
    duration: "P1M",
    pricingMode: "default",
    quantity: 1,
    product: { name: planCode },
  };
  return {
    order: {
      action: "installation",
      type: isOption ? "option" : "plan",
      plan,
      configurations: isOption ? [] : configurations,
    },
  };
}
