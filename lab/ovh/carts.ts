/** @module What is sold, and carts up to their checkout, which costs money. */
import { randomUUID } from "node:crypto";
import {
  ApiError,
  badRequest,
  type Call,
  publicRoute,
  type Route,
  route,
  textOf,
  unknownObject,
} from "./api.ts";
import { planOf, priceOf, shownCheckout, total } from "./bill.ts";
import { catalog, datacenters, plans, systems } from "./catalog.ts";
import type { Cart, Item, Order } from "./state.ts";
import type { World } from "./world.ts";

const allowedValues: Readonly<Record<string, readonly string[]>> = {
  vps_datacenter: datacenters,
  vps_os: systems,
  vps_install_rtm: ["no", "if_available"],
};
const subsidiaries = "ASIA AU CA CZ DE ES EU FI FR GB IE IN IT LT MA NL PL PT QC SG SN TN US WE WS".split(
  " ",
);

export function cartRoutes(world: World): Route[] {
  const { state } = world;
  return [
    publicRoute("GET", "/order/catalog/public/vps", ({ query }) =>
      catalog(subsidiaryOf(query.get("ovhSubsidiary"))),
    ),
    publicRoute("GET", "/vps/order/rule/datacenter", ({ query }) => {
      planOf(query.get("planCode"));
      return { datacenters: datacenters.map(shownDatacenter) };
    }),
    publicRoute("GET", "/vps/order/rule/osChoices", () => ({
      choices: systems.map((name) => ({ name, status: "available" })),
    })),
    publicRoute("POST", "/order/cart", ({ body }) => {
      subsidiaryOf(body.ovhSubsidiary);
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
    route("GET", "/order/cart", ({ query }) => {
      const wanted = query.get("description");
      return state.carts
        .filter(({ isAssigned, description }) => isAssigned && (wanted === null || description === wanted))
        .map(({ cartId }) => cartId);
    }),
    publicRoute("GET", "/order/cart/{cart}", ({ part }) => shownCart(cartOf(world, part))),
    publicRoute("DELETE", "/order/cart/{cart}", ({ part }) => {
      state.carts.splice(state.carts.indexOf(cartOf(world, part)), 1);
      return null;
    }),
    route("POST", "/order/cart/{cart}/assign", ({ part }) => {
      openCart(world, part).isAssigned = true;
      return null;
    }),
    publicRoute("POST", "/order/cart/{cart}/vps", ({ part, body }) => {
      const cart = openCart(world, part);
      return shownItem(cart, addItem(world, cart, planOf(body.planCode).planCode, body, null));
    }),
    publicRoute("POST", "/order/cart/{cart}/vps/options", ({ part, body }) => {
      const cart = openCart(world, part);
      const parent = itemOf(cart, String(body.itemId));
      const option = String(body.planCode);
      if (!plans.some(({ planCode, options }) => planCode === parent.planCode && options.includes(option)))
        throw badRequest(`Option ${option} is not available for ${parent.planCode}`);
      return shownItem(cart, addItem(world, cart, option, body, parent.itemId));
    }),
    publicRoute("GET", "/order/cart/{cart}/item", ({ part }) =>
      cartOf(world, part).items.map(({ itemId }) => itemId),
    ),
    publicRoute("GET", "/order/cart/{cart}/item/{item}", ({ part }) => {
      const cart = cartOf(world, part);
      return shownItem(cart, itemOf(cart, part.item));
    }),
    publicRoute("GET", "/order/cart/{cart}/item/{item}/requiredConfiguration", ({ part }) => {
      const { parentItemId } = itemOf(cartOf(world, part), part.item);
      if (parentItemId !== null) return [];
      return Object.entries(allowedValues).map(([label, values]) => ({
        ...{
          label,
          type: "String",
          fields: [],
          required: label !== "vps_install_rtm",
          allowedValues: values,
        },
      }));
    }),
    publicRoute("GET", "/order/cart/{cart}/item/{item}/configuration", ({ part }) =>
      itemOf(cartOf(world, part), part.item).configurations.map(({ id }) => id),
    ),
    publicRoute("GET", "/order/cart/{cart}/item/{item}/configuration/{id}", ({ part }) => {
      const { configurations } = itemOf(cartOf(world, part), part.item);
      const configuration = configurations.find(({ id }) => String(id) === part.id);
      if (!configuration) throw unknownObject("id", part.id);
      return configuration;
    }),
    publicRoute("POST", "/order/cart/{cart}/item/{item}/configuration", ({ part, body }) => {
      const item = itemOf(openCart(world, part), part.item);
      const [label, value] = [textOf(body, "label"), textOf(body, "value")];
      if (!allowedValues[label]?.includes(value))
        throw badRequest(`Configuration ${label} = ${value} is not allowed`);
      const configuration = { id: world.newId(), label, value };
      item.configurations.push(configuration);
      return configuration;
    }),
    route("GET", "/order/cart/{cart}/checkout", ({ part }) =>
      shownCheckout(requireReady(openCart(world, part)), null),
    ),
    route("POST", "/order/cart/{cart}/checkout", (call) => checkOut(world, call)),
  ];
}

/** Makes the order of a cart. What is missing in a cart is said before anything is bought. */
function checkOut(world: World, { part, body, fault }: Call) {
  const { state, now, newId } = world;
  const cart = requireReady(openCart(world, part));
  const isPaid = body.autoPayWithPreferredPaymentMethod === true;
  if (isPaid && state.paymentMethods.length === 0) throw badRequest("No default payment method found");
  const main = mainItem(cart) as Item;
  const value = (label: string) => main.configurations.findLast((each) => each.label === label)?.value ?? "";
  const order: Order = {
    orderId: newId(),
    cartId: cart.cartId,
    created: now(),
    planCode: main.planCode,
    datacenter: value("vps_datacenter"),
    os: value("vps_os"),
    priceWithoutTax: total(cart),
    lines: cart.items.map((item) => ({
      detailId: newId(),
      planCode: item.planCode,
      isOption: item.parentItemId !== null,
      price: priceOf(item),
    })),
    paid: isPaid ? now() : null,
    delivered: null,
    serviceName: null,
    stuck: stuckBy(fault),
  };
  cart.orderId = order.orderId;
  state.orders.push(order);
  state.checkouts += 1;
  return shownCheckout(cart, order.orderId);
}

export function stuckBy(fault: Call["fault"]): Order["stuck"] {
  if (fault?.kind === "orderStuck") return "delivering";
  if (fault?.kind === "orderCancelled") return "cancelled";
  return fault?.kind === "documentsRequested" ? "documentsRequested" : null;
}

function cartOf({ state }: World, part: Call["part"]): Cart {
  const cart = state.carts.find(({ cartId }) => cartId === part.cart);
  if (!cart) throw unknownObject("cartId", part.cart);
  return cart;
}

/** A cart that can still be changed. */
function openCart(world: World, part: Call["part"]): Cart {
  const cart = cartOf(world, part);
  if (cart.orderId !== null) throw badRequest("Cart is read only: it has been checked out");
  if (world.now() > Date.parse(cart.expire)) throw badRequest("Cart is expired");
  return cart;
}

function itemOf(cart: Cart, id: string | undefined): Item {
  const item = cart.items.find(({ itemId }) => String(itemId) === id);
  if (!item) throw unknownObject("itemId", id);
  return item;
}

function mainItem(cart: Cart): Item | undefined {
  return cart.items.find(({ parentItemId }) => parentItemId === null);
}

function addItem(
  world: World,
  cart: Cart,
  planCode: string,
  body: Call["body"],
  parentItemId: number | null,
): Item {
  const [duration, pricingMode] = [textOf(body, "duration"), textOf(body, "pricingMode")];
  if (duration !== "P1M") throw badRequest(`Duration ${duration} is not available for ${planCode}`);
  if (pricingMode !== "default") throw badRequest(`Pricing mode ${pricingMode} is not available`);
  if (body.quantity !== 1) throw badRequest(`Quantity ${String(body.quantity)} is not available`);
  const item: Item = {
    ...{ itemId: world.newId(), planCode, duration, pricingMode, parentItemId, configurations: [] },
  };
  cart.items.push(item);
  return item;
}

/** A cart that can be checked out. @throws ApiError that says what is missing */
function requireReady(cart: Cart): Cart {
  const main = mainItem(cart);
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

function subsidiaryOf(value: unknown): string {
  if (typeof value === "string" && subsidiaries.includes(value)) return value;
  throw badRequest(value ? `Invalid ovhSubsidiary: ${String(value)}` : "Missing parameter: ovhSubsidiary");
}

function shownDatacenter(datacenter: string) {
  const status = datacenter === "WAW" ? "out-of-stock" : "available";
  const code = `eu-west-${datacenter.toLowerCase()}`;
  return { datacenter, code, status, linuxStatus: status, windowsStatus: "out-of-stock" };
}

function shownCart({ cartId, description, expire, items, orderId }: Cart) {
  const readOnly = orderId !== null;
  return { cartId, description, expire, items: items.map(({ itemId }) => itemId), readOnly };
}

function shownItem(cart: Cart, item: Item) {
  const { itemId, planCode, duration, pricingMode, parentItemId, configurations } = item;
  const options = cart.items.filter((each) => each.parentItemId === itemId).map((each) => each.itemId);
  return {
    ...{ cartId: cart.cartId, itemId, productId: "vps", offerId: planCode, duration },
    configurations: configurations.map(({ id }) => id),
    ...{ options, parentItemId, prices: [], settings: { planCode, pricingMode, quantity: 1 } },
  };
}
