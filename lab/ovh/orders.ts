/** @module Carts and orders: from a shopping list to a VPS, at OVH's pace. */
import { randomBytes, randomUUID } from "node:crypto";
import { ApiError, badRequest, notFound, type Route } from "./api.ts";
import { catalog, datacenters, optionPrice, type Plan, plans, systems, vatRate } from "./catalog.ts";
import type { Cart, Item, Order } from "./state.ts";
import { newVps } from "./vps.ts";
import type { World } from "./world.ts";

const configurationLabels: Readonly<Record<string, readonly string[]>> = {
  vps_datacenter: datacenters,
  vps_os: systems,
  vps_install_rtm: ["no", "if_available"],
};

export function orderRoutes(world: World): Route[] {
  const { state } = world;
  const cartOf = (part: Readonly<Record<string, string>>): Cart => {
    const cart = state.carts.find(({ cartId }) => cartId === part.cart);
    if (!cart) throw notFound(`The requested object (cartId = ${part.cart}) does not exist`);
    return cart;
  };
  const openCart = (part: Readonly<Record<string, string>>): Cart => {
    const cart = cartOf(part);
    if (cart.orderId !== null) throw badRequest("Cart is read only: it has been checked out");
    return cart;
  };
  const itemOf = (cart: Cart, id: string | undefined): Item => {
    const item = cart.items.find(({ itemId }) => String(itemId) === id);
    if (!item) throw notFound(`The requested object (itemId = ${id}) does not exist`);
    return item;
  };
  const orderOf = (part: Readonly<Record<string, string>>): Order => {
    const order = state.orders.find(({ orderId }) => String(orderId) === part.order);
    if (!order) throw notFound(`The requested object (orderId = ${part.order}) does not exist`);
    return order;
  };
  const detailOf = (part: Readonly<Record<string, string>>): Order => {
    const order = orderOf(part);
    if (String(order.detailId) !== part.detail)
      throw notFound(`The requested object (orderDetailId = ${part.detail}) does not exist`);
    return order;
  };
  const route = (method: string, pattern: string, handle: Route["handle"], isPublic = false): Route => ({
    method,
    pattern,
    isPublic,
    handle,
  });

  return [
    route(
      "GET",
      "/order/catalog/public/vps",
      ({ query }) => catalog(query.get("ovhSubsidiary") ?? "FR"),
      true,
    ),
    route(
      "GET",
      "/vps/order/rule/datacenter",
      ({ query }) => {
        planOf(query.get("planCode"));
        return {
          datacenters: datacenters.map((datacenter) => ({
            datacenter,
            code: datacenter.toLowerCase(),
            status: datacenter === "WAW" ? "out-of-stock" : "available",
            linuxStatus: datacenter === "WAW" ? "out-of-stock" : "available",
            windowsStatus: "out-of-stock",
          })),
        };
      },
      true,
    ),
    route(
      "GET",
      "/vps/order/rule/osChoices",
      () => ({ choices: systems.map((name) => ({ name, status: "available" })) }),
      true,
    ),
    route("POST", "/order/cart", ({ body }) => {
      if (typeof body.ovhSubsidiary !== "string") throw badRequest("Missing parameter: ovhSubsidiary");
      const cart: Cart = {
        cartId: randomUUID(),
        description: typeof body.description === "string" ? body.description : null,
        expire: new Date(world.now() + 86_400_000).toISOString(),
        items: [],
        isAssigned: false,
        orderId: null,
      };
      state.carts.push(cart);
      return shownCart(cart);
    }),
    route("GET", "/order/cart", ({ query }) =>
      state.carts
        .filter(
          ({ description }) => query.get("description") === null || description === query.get("description"),
        )
        .map(({ cartId }) => cartId),
    ),
    route("GET", "/order/cart/{cart}", ({ part }) => shownCart(cartOf(part))),
    route("DELETE", "/order/cart/{cart}", ({ part }) => {
      state.carts.splice(state.carts.indexOf(cartOf(part)), 1);
      return null;
    }),
    route("POST", "/order/cart/{cart}/assign", ({ part }) => {
      openCart(part).isAssigned = true;
      return null;
    }),
    route("POST", "/order/cart/{cart}/vps", ({ part, body }) => {
      const cart = openCart(part);
      const plan = planOf(String(body.planCode));
      return shownItem(cart, addItem(cart, plan.planCode, body, null));
    }),
    route("POST", "/order/cart/{cart}/vps/options", ({ part, body }) => {
      const cart = openCart(part);
      const parent = itemOf(cart, String(body.itemId));
      const option = String(body.planCode);
      if (!plans.some(({ planCode, options }) => planCode === parent.planCode && options.includes(option)))
        throw badRequest(`Option ${option} is not available for ${parent.planCode}`);
      return shownItem(cart, addItem(cart, option, body, parent.itemId));
    }),
    route("GET", "/order/cart/{cart}/item", ({ part }) => cartOf(part).items.map(({ itemId }) => itemId)),
    route("GET", "/order/cart/{cart}/item/{item}", ({ part }) => {
      const cart = cartOf(part);
      return shownItem(cart, itemOf(cart, part.item));
    }),
    route("GET", "/order/cart/{cart}/item/{item}/requiredConfiguration", ({ part }) => {
      itemOf(cartOf(part), part.item);
      return Object.entries(configurationLabels).map(([label, allowedValues]) => ({
        ...{ label, type: "String", fields: [], required: label !== "vps_install_rtm", allowedValues },
      }));
    }),
    route("POST", "/order/cart/{cart}/item/{item}/configuration", ({ part, body }) => {
      const item = itemOf(openCart(part), part.item);
      const [label, value] = [String(body.label), String(body.value)];
      if (!configurationLabels[label]?.includes(value))
        throw badRequest(`Configuration ${label} = ${value} is not allowed`);
      const configuration = { id: world.newId(), label, value };
      item.configurations.push(configuration);
      return configuration;
    }),
    route("GET", "/order/cart/{cart}/checkout", ({ part }) => bill(ready(openCart(part)), null)),
    route("POST", "/order/cart/{cart}/checkout", ({ part, body }) => {
      const cart = ready(openCart(part));
      const main = cart.items.find(({ parentItemId }) => parentItemId === null) as Item;
      const value = (label: string) => main.configurations.find((each) => each.label === label)?.value ?? "";
      const order: Order = {
        orderId: world.newId(),
        cartId: cart.cartId,
        created: world.now(),
        planCode: main.planCode,
        datacenter: value("vps_datacenter"),
        os: value("vps_os"),
        priceWithoutTax: total(cart),
        detailId: world.newId(),
        paid: body.autoPayWithPreferredPaymentMethod === true ? world.now() : null,
        delivered: null,
        serviceName: null,
        stuck: null,
      };
      cart.orderId = order.orderId;
      state.orders.push(order);
      state.checkouts += 1;
      return bill(cart, order.orderId);
    }),
    route("GET", "/me/order", ({ query }) => {
      const from = Date.parse(query.get("date.from") ?? "") || 0;
      const to = Date.parse(query.get("date.to") ?? "") || Number.POSITIVE_INFINITY;
      return state.orders
        .filter(({ created }) => created >= from && created <= to)
        .map(({ orderId }) => orderId);
    }),
    route("GET", "/me/order/{order}", ({ part }) => shownOrder(orderOf(part))),
    route("GET", "/me/order/{order}/status", async ({ part }) => statusOf(orderOf(part))),
    route("GET", "/me/order/{order}/details", ({ part }) => [orderOf(part).detailId]),
    route("GET", "/me/order/{order}/details/{detail}", ({ part }) => {
      const order = detailOf(part);
      return {
        orderDetailId: order.detailId,
        description: planOf(order.planCode).label,
        domain: order.serviceName ?? "",
        ...{ quantity: "1", detailType: "DURATION", cancelled: false },
        ...{ unitPrice: price(order.priceWithoutTax), totalPrice: price(order.priceWithoutTax) },
      };
    }),
    route("GET", "/me/order/{order}/details/{detail}/extension", ({ part }) => {
      const { planCode, datacenter, os } = detailOf(part);
      const plan = {
        code: planCode,
        duration: "P1M",
        pricingMode: "default",
        quantity: 1,
        product: { name: planCode },
      };
      const configurations = [
        { label: "vps_datacenter", value: datacenter },
        { label: "vps_os", value: os },
      ];
      return { order: { action: "installation", type: "plan", plan, configurations } };
    }),
    route("POST", "/me/order/{order}/pay", ({ part, body }) => {
      const order = orderOf(part);
      const { id } = (body.paymentMethod ?? {}) as { id?: number };
      if (!state.paymentMethods.includes(Number(id))) throw badRequest("This payment method is not valid");
      if (order.paid !== null) throw badRequest("This order is already paid");
      order.paid = world.now();
      return null;
    }),
    route("POST", "/me/order/{order}/payWithRegisteredPaymentMean", ({ part }) => {
      const order = orderOf(part);
      if (order.priceWithoutTax > 0) throw badRequest("This payment mean cannot pay this order");
      order.paid ??= world.now();
      return null;
    }),
    route("GET", "/me/payment/method", () => state.paymentMethods),
    route("GET", "/me/payment/method/{id}", ({ part }) => {
      const id = state.paymentMethods.find((each) => String(each) === part.id);
      if (id === undefined) throw notFound(`The requested object (id = ${part.id}) does not exist`);
      return { paymentMethodId: id, paymentType: "CREDIT_CARD", status: "VALID", default: true };
    }),
  ];

  function addItem(
    cart: Cart,
    planCode: string,
    body: Readonly<Record<string, unknown>>,
    parent: number | null,
  ): Item {
    if (body.duration !== "P1M")
      throw badRequest(`Duration ${body.duration} is not available for ${planCode}`);
    if (body.pricingMode !== "default") throw badRequest(`Pricing mode ${body.pricingMode} is not available`);
    const item: Item = {
      itemId: world.newId(),
      planCode,
      duration: "P1M",
      pricingMode: "default",
      parentItemId: parent,
      configurations: [],
    };
    cart.items.push(item);
    return item;
  }

  /** The status by the clock; a delivery that is due makes the machine. */
  async function statusOf(order: Order): Promise<string> {
    if (order.paid === null) return order.stuck === "cancelled" ? "cancelled" : "notPaid";
    if (order.stuck !== null) return order.stuck;
    const age = world.now() - order.paid;
    if (age < world.clock.check) return "checking";
    if (age < world.clock.check + world.clock.deliver) return "delivering";
    await deliver(order);
    return order.delivered === null ? "delivering" : "delivered";
  }

  async function deliver(order: Order): Promise<void> {
    if (order.serviceName !== null) return;
    const serviceName = `vps-${randomBytes(4).toString("hex")}.vps.ovh.net`;
    order.serviceName = serviceName;
    try {
      const ips = await world.hooks.deliver({ serviceName, displayName: serviceName, os: order.os });
      state.vps.push(
        newVps(world, {
          serviceName,
          model: order.planCode,
          datacenter: order.datacenter,
          os: order.os,
          ips,
        }),
      );
      order.delivered = world.now();
    } catch (error) {
      order.serviceName = null;
      throw error;
    }
  }
}

export function planOf(planCode: string | null): Plan {
  const plan = plans.find((each) => each.planCode === planCode);
  if (!plan) throw badRequest(`Plan ${planCode} does not exist`);
  return plan;
}

/** A cart that can be checked out. */
function ready(cart: Cart): Cart {
  const main = cart.items.find(({ parentItemId }) => parentItemId === null);
  if (!cart.isAssigned)
    throw new ApiError(403, { class: "Client::Forbidden", message: "This cart is not assigned to you" });
  if (!main) throw badRequest("Cart is empty");
  for (const label of ["vps_datacenter", "vps_os"])
    if (!main.configurations.some((each) => each.label === label))
      throw badRequest(`Configuration ${label} is missing`);
  const missing = planOf(main.planCode).options.filter(
    (option) => !cart.items.some(({ planCode }) => planCode === option),
  );
  if (missing.length > 0) throw badRequest(`Mandatory options are missing: ${missing.join(", ")}`);
  return cart;
}

function total(cart: Cart): number {
  return cart.items.reduce(
    (sum, { planCode, parentItemId }) =>
      sum + (parentItemId === null ? planOf(planCode).price : optionPrice(planCode)),
    0,
  );
}

function price(value: number) {
  const rounded = Math.round(value * 100) / 100;
  return { value: rounded, currencyCode: "EUR", text: `${rounded.toFixed(2)} €` };
}

function prices(withoutTax: number) {
  return {
    withoutTax: price(withoutTax),
    tax: price(withoutTax * vatRate),
    withTax: price(withoutTax * (1 + vatRate)),
  };
}

function bill(cart: Cart, orderId: number | null) {
  const url =
    orderId === null ? null : `https://www.ovh.com/cgi-bin/order/displayOrder.cgi?orderId=${orderId}`;
  return { orderId, url, contracts: [], details: [], prices: prices(total(cart)) };
}

function shownCart({ cartId, description, expire, items, orderId }: Cart) {
  return {
    cartId,
    description,
    expire,
    items: items.map(({ itemId }) => itemId),
    readOnly: orderId !== null,
  };
}

function shownItem(cart: Cart, item: Item) {
  return {
    cartId: cart.cartId,
    itemId: item.itemId,
    ...{ productId: "vps", offerId: item.planCode, duration: item.duration },
    configurations: item.configurations.map(({ id }) => id),
    options: cart.items
      .filter(({ parentItemId }) => parentItemId === item.itemId)
      .map(({ itemId }) => itemId),
    parentItemId: item.parentItemId,
    prices: [],
    settings: { planCode: item.planCode, pricingMode: item.pricingMode, quantity: 1 },
  };
}

function shownOrder({ orderId, created, priceWithoutTax }: Order) {
  const { withTax, withoutTax, tax } = prices(priceWithoutTax);
  return {
    orderId,
    date: new Date(created).toISOString(),
    expirationDate: new Date(created + 14 * 86_400_000).toISOString(),
    ...{ retractionDate: null, password: "x", pdfUrl: "", url: "" },
    ...{ priceWithTax: withTax, priceWithoutTax: withoutTax, tax },
  };
}
