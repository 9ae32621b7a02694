/** Proves the way from a cart to a delivered VPS by the clock, what is refused on it, and that nothing is sold twice. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { caller } from "./caller.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
import { noHooks } from "./world.ts";

let clock = Date.UTC(2026, 10, 23);
let emulator: Emulator;
const { call, get } = caller(
  () => emulator.url,
  () => clock,
);
const start = async (options: EmulatorOptions = {}) => {
  emulator = await startEmulator({ now: () => clock, ...options });
};
const restart = async (options: EmulatorOptions) => {
  await emulator.close();
  await start(options);
};
beforeEach(() => start());
afterEach(() => emulator.close());

const terms = { duration: "P1M", pricingMode: "default", quantity: 1 };
const older = "vps-2025-model1";
const present = "vps-2027-model1";
const options = ["option-auto-backup-2027-1-model1", "option-storage-local-2027-model1"];
const usual = { vps_datacenter: "GRA", vps_os: "Debian 13" };

interface CartArgs {
  readonly planCode?: string;
  readonly options?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly isAssigned?: boolean;
}

async function cartWith(args: CartArgs = {}): Promise<string> {
  const { cartId } = (await call("POST", "/order/cart", { ovhSubsidiary: "FR" })).value;
  const root = `/order/cart/${cartId}`;
  if (args.isAssigned !== false) await call("POST", `${root}/assign`);
  const main = await call("POST", `${root}/vps`, { ...terms, planCode: args.planCode ?? older });
  const { itemId } = main.value;
  for (const [label, value] of Object.entries(args.labels ?? usual))
    await call("POST", `${root}/item/${itemId}/configuration`, { label, value });
  for (const planCode of args.options ?? [])
    await call("POST", `${root}/vps/options`, { ...terms, planCode, itemId });
  return cartId;
}
const checkOut = (cartId: string, body?: unknown) => call("POST", `/order/cart/${cartId}/checkout`, body);
const order = async (args?: CartArgs): Promise<number> =>
  (await checkOut(await cartWith(args))).value.orderId;
const pay = (orderId: number) => call("POST", `/me/order/${orderId}/pay`, { paymentMethod: { id: 123_456 } });
const statusOf = (orderId: number) => get(`/me/order/${orderId}/status`);
const domains = async (orderId: number) => {
  const ids: number[] = await get(`/me/order/${orderId}/details`);
  return Promise.all(ids.map(async (id) => (await get(`/me/order/${orderId}/details/${id}`)).domain));
};

test("an order goes from unpaid through checking and delivering to a VPS, which is told only then", async () => {
  const orderId = await order();
  clock += 1_000_000;
  expect(await statusOf(orderId)).toBe("notPaid");
  expect(await pay(orderId)).toMatchObject({ status: 200, value: null });
  expect(await statusOf(orderId)).toBe("checking");
  clock += 2000;
  expect(await statusOf(orderId)).toBe("delivering");
  expect(await domains(orderId)).toEqual([""]);
  expect(await get("/vps")).toEqual([]);
  clock += 6000;
  expect(await statusOf(orderId)).toBe("delivered");
  const [domain] = await domains(orderId);
  expect(domain).toMatch(/^vps-[0-9a-f]{8}\.vps\.ovh\.net$/);
  expect(await get("/vps")).toEqual([domain]);
});

test("a delivery happens though nobody asks for the order", async () => {
  const orderId = await order();
  await pay(orderId);
  clock += 8000;
  expect(await get("/vps")).toHaveLength(1);
  clock += 100_000;
  expect(await statusOf(orderId)).toBe("delivered");
  expect(await get("/vps")).toHaveLength(1);
});

test("an order's details are one for each item, and an option's have no service", async () => {
  const orderId = await order({ planCode: present, options });
  await pay(orderId);
  clock += 8000;
  const ids: number[] = await get(`/me/order/${orderId}/details`);
  const codes = await Promise.all(
    ids.map(async (id) => (await get(`/me/order/${orderId}/details/${id}/extension`)).order.plan.code),
  );
  expect(codes).toEqual([present, ...options]);
  expect((await domains(orderId)).slice(1)).toEqual(["*", "*"]);
  const { configurations } = (await get(`/me/order/${orderId}/details/${ids[0]}/extension`)).order;
  expect(configurations).toEqual([
    { label: "vps_datacenter", value: "GRA" },
    { label: "vps_os", value: "Debian 13" },
  ]);
});

test("the American API tells the service by operations, not by extensions", async () => {
  await restart({ rules: { isUs: true } });
  const orderId = await order();
  await pay(orderId);
  const [detail] = await get(`/me/order/${orderId}/details`);
  const root = `/me/order/${orderId}/details/${detail}`;
  expect((await call("GET", `${root}/extension`)).status).toBe(404);
  expect(await get(`${root}/operations`)).toEqual([]);
  clock += 8000;
  const [operation] = await get(`${root}/operations`);
  const { resource } = await get(`${root}/operations/${operation}`);
  expect(resource.name).toMatch(/^vps-[0-9a-f]{8}\.vps\.ovh\.us$/);
});

test("a delivery that fails in the lab is tried again, under the same name", async () => {
  const names: string[] = [];
  const deliver = async ({ serviceName }: { serviceName: string }) => {
    names.push(serviceName);
    if (names.length === 1) throw new Error("the engine is away");
    return ["203.0.113.1"];
  };
  await restart({ hooks: { ...noHooks(), deliver }, report: () => {} });
  const orderId = await order();
  await pay(orderId);
  clock += 8000;
  expect(await statusOf(orderId)).toBe("delivering");
  clock += 6000;
  expect(await statusOf(orderId)).toBe("delivered");
  expect(names).toHaveLength(2);
  expect(names[0]).toBe(names[1]);
});

describe("a checkout", () => {
  test.each<[string, CartArgs, number, string]>([
    ["no datacenter", { labels: { vps_os: "Debian 13" } }, 400, "vps_datacenter is missing"],
    ["no system", { labels: { vps_datacenter: "GRA" } }, 400, "vps_os is missing"],
    ["a system that is not sold", { labels: { ...usual, vps_os: "BeOS" } }, 400, "vps_os is missing"],
    ["no options, where some must be", { planCode: present }, 400, "Mandatory options are missing"],
    ["one option of two", { planCode: present, options: options.slice(1) }, 400, String(options[0])],
    ["a plan that is not sold", { planCode: "vps-1999" }, 400, "Cart is empty"],
    ["a cart of nobody", { isAssigned: false }, 403, "not assigned"],
  ])("with %s is refused and costs nothing", async (_, args, status, message) => {
    const cartId = await cartWith(args);
    const refusal = { status, value: { message: expect.stringContaining(message) } };
    expect(await checkOut(cartId)).toMatchObject(refusal);
    expect(await call("GET", `/order/cart/${cartId}/checkout`)).toMatchObject(refusal);
    expect(emulator.checkouts()).toBe(0);
    expect(await get("/me/order")).toEqual([]);
  });

  test("by GET tells the price and makes no order", async () => {
    const cartId = await cartWith({ planCode: present, options });
    const dry = await get(`/order/cart/${cartId}/checkout`);
    expect(dry).toMatchObject({ orderId: null, prices: { withoutTax: { value: 5.2 } } });
    expect(emulator.checkouts()).toBe(0);
    const { prices, orderId } = (await checkOut(cartId)).value;
    expect(prices).toEqual(dry.prices);
    expect(prices.withTax).toEqual({ value: 6.24, currencyCode: "EUR", text: "6.24 €" });
    expect(orderId).toEqual(expect.any(Number));
    expect(await get(`/me/order/${orderId}`)).toMatchObject({ orderId, priceWithTax: prices.withTax });
  });

  test("of the same cart is refused the second time, as is any change of it", async () => {
    const cartId = await cartWith();
    await checkOut(cartId);
    const readOnly = { status: 400, value: { message: expect.stringContaining("read only") } };
    expect(await checkOut(cartId)).toMatchObject(readOnly);
    expect(await call("POST", `/order/cart/${cartId}/vps`, { ...terms, planCode: older })).toMatchObject(
      readOnly,
    );
    expect((await get(`/order/cart/${cartId}`)).readOnly).toBe(true);
    expect(emulator.checkouts()).toBe(1);
  });

  test("two at once make one order", async () => {
    const cartId = await cartWith();
    const answers = await Promise.all([checkOut(cartId), checkOut(cartId), checkOut(cartId)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    expect(emulator.checkouts()).toBe(1);
  });

  test("whose answer is lost has made its one order", async () => {
    const cartId = await cartWith();
    const fault = { kind: "dropAfterEffect" } as const;
    emulator.faults.add({ method: "POST", path: "/order/cart/*/checkout", fault, times: 1 });
    await expect(checkOut(cartId)).rejects.toThrow();
    expect(emulator.checkouts()).toBe(1);
    expect(await get("/me/order")).toHaveLength(1);
    expect((await checkOut(cartId)).status).toBe(400);
    expect(emulator.checkouts()).toBe(1);
  });

  test("can pay at once", async () => {
    const { orderId } = (await checkOut(await cartWith(), { autoPayWithPreferredPaymentMethod: true })).value;
    expect(await statusOf(orderId)).toBe("checking");
  });

  test("of a cart of yesterday is refused", async () => {
    const cartId = await cartWith();
    clock += 86_400_001;
    expect(await checkOut(cartId)).toMatchObject({ status: 400, value: { message: "Cart is expired" } });
  });
});

describe("a cart", () => {
  test("needs a subsidiary that exists", async () => {
    expect((await call("POST", "/order/cart", {})).value.message).toBe("Missing parameter: ovhSubsidiary");
    expect((await call("POST", "/order/cart", { ovhSubsidiary: "XX" })).status).toBe(400);
  });

  test.each<[string, Record<string, unknown>]>([
    ["duration", { duration: "P1Y" }],
    ["pricing mode", { pricingMode: "upfront12" }],
    ["quantity", { quantity: 2 }],
    ["missing quantity", { quantity: undefined }],
    ["missing duration", { duration: undefined }],
  ])("refuses another %s", async (_, change) => {
    const { cartId } = (await call("POST", "/order/cart", { ovhSubsidiary: "FR" })).value;
    const answer = await call("POST", `/order/cart/${cartId}/vps`, { ...terms, planCode: older, ...change });
    expect(answer).toMatchObject({ status: 400, value: { class: "Client::BadRequest" } });
    expect((await get(`/order/cart/${cartId}`)).items).toEqual([]);
  });

  test("bears keys that say nothing", async () => {
    const { cartId } = (await call("POST", "/order/cart", { ovhSubsidiary: "FR" })).value;
    const configuration = [{ label: "vps_os", value: "Debian 12" }];
    const body = { ...terms, planCode: older, configuration, itemId: null, domain: null };
    const item = (await call("POST", `/order/cart/${cartId}/vps`, body)).value;
    expect(item).toMatchObject({
      cartId,
      duration: "P1M",
      configurations: [],
      settings: { planCode: older },
    });
  });

  test("says what an item must be told, and refuses other values", async () => {
    const cartId = await cartWith({ labels: {} });
    const [itemId] = await get(`/order/cart/${cartId}/item`);
    const root = `/order/cart/${cartId}/item/${itemId}`;
    const wanted: { label: string; required: boolean; allowedValues: string[] }[] = await get(
      `${root}/requiredConfiguration`,
    );
    expect(wanted.filter(({ required }) => required).map(({ label }) => label)).toEqual([
      "vps_datacenter",
      "vps_os",
    ]);
    for (const { label, allowedValues } of wanted) {
      const value = allowedValues[0];
      const good = await call("POST", `${root}/configuration`, { label, value });
      expect(good.value).toEqual({ id: expect.any(Number), label, value });
      expect((await call("POST", `${root}/configuration`, { label, value: "x" })).status).toBe(400);
    }
    expect(await get(`${root}/configuration`)).toHaveLength(wanted.length);
  });

  test("takes no option of another plan", async () => {
    const cartId = await cartWith();
    const [itemId] = await get(`/order/cart/${cartId}/item`);
    const body = { ...terms, planCode: options[0], itemId };
    expect((await call("POST", `/order/cart/${cartId}/vps/options`, body)).status).toBe(400);
  });

  test("can be thrown away", async () => {
    const cartId = await cartWith();
    expect((await call("DELETE", `/order/cart/${cartId}`)).value).toBeNull();
    expect((await call("GET", `/order/cart/${cartId}`)).status).toBe(404);
  });
});

describe("a payment", () => {
  test("by a method that is not there is refused, and the order stays unpaid", async () => {
    const orderId = await order();
    const wrong = await call("POST", `/me/order/${orderId}/pay`, { paymentMethod: { id: 1 } });
    expect(wrong.status).toBe(400);
    expect((await call("POST", `/me/order/${orderId}/pay`, {})).status).toBe(400);
    expect(await statusOf(orderId)).toBe("notPaid");
  });

  test("happens once", async () => {
    const orderId = await order();
    await pay(orderId);
    expect(await pay(orderId)).toMatchObject({
      status: 400,
      value: { message: "This order is already paid" },
    });
  });

  test("of nothing does not do for what costs", async () => {
    const orderId = await order();
    const path = `/me/order/${orderId}/payWithRegisteredPaymentMean`;
    expect((await call("POST", path, { paymentMean: "fidelityAccount" })).status).toBe(400);
  });
});

test.each([
  ["orderStuck", "delivering"],
  ["documentsRequested", "documentsRequested"],
  ["orderCancelled", "cancelled"],
] as const)("the fault %s keeps an order %s until it is released", async (kind, status) => {
  emulator.faults.add({ method: "POST", path: "/me/order/*/pay", fault: { kind }, times: 1 });
  const orderId = await order();
  await pay(orderId);
  clock += 1_000_000;
  expect(await statusOf(orderId)).toBe(status);
  expect(await get("/vps")).toEqual([]);
  emulator.releaseOrders();
  expect(await statusOf(orderId)).toBe("delivered");
});

test("orders are listed by their date", async () => {
  const first = await order();
  clock += 86_400_000;
  const second = await order();
  const date = (time: number) => encodeURIComponent(new Date(time).toISOString());
  expect(await get("/me/order")).toEqual([first, second]);
  expect(await get(`/me/order?date.from=${date(clock - 1000)}`)).toEqual([second]);
  expect(await get(`/me/order?date.to=${date(clock - 1000)}`)).toEqual([first]);
  expect((await call("GET", "/me/order?date.from=yesterday")).status).toBe(400);
});

describe("the catalogue", () => {
  const anybody = { headers: { "X-Ovh-Consumer": undefined, "X-Ovh-Signature": undefined } };
  const ask = (path: string) => call("GET", path, undefined, anybody);

  test("sells to anybody what carts take: plans, places, systems, options with their prices", async () => {
    const { value } = await ask("/order/catalog/public/vps?ovhSubsidiary=FR");
    for (const plan of value.plans) {
      const values = (name: string) =>
        plan.configurations.find((each: { name: string }) => each.name === name).values;
      const labels = { vps_datacenter: values("vps_datacenter")[0], vps_os: values("vps_os")[0] };
      const mandatory = plan.addonFamilies
        .filter((family: { mandatory: boolean }) => family.mandatory)
        .map((family: { default: string }) => family.default);
      const cartId = await cartWith({ planCode: plan.planCode, labels, options: mandatory });
      const { prices } = await get(`/order/cart/${cartId}/checkout`);
      const priced = [
        plan,
        ...value.addons.filter((each: { planCode: string }) => mandatory.includes(each.planCode)),
      ];
      const sum = priced.reduce((total, each) => total + each.pricings[0].price, 0);
      expect(prices.withoutTax.value).toBeCloseTo(sum / 1e8, 2);
    }
    expect(value.plans.map(({ planCode }: { planCode: string }) => planCode)).toContain(present);
  });

  test("tells what is out of stock, and which systems there are", async () => {
    const { value } = await ask(`/vps/order/rule/datacenter?ovhSubsidiary=FR&planCode=${older}`);
    const status = Object.fromEntries(
      value.datacenters.map((each: Record<string, string>) => [each.datacenter, each.linuxStatus]),
    );
    expect(status).toMatchObject({ GRA: "available", WAW: "out-of-stock" });
    expect((await ask("/vps/order/rule/datacenter?ovhSubsidiary=FR&planCode=x")).status).toBe(400);
    const { choices } = (await ask("/vps/order/rule/osChoices?datacenter=GRA&os=linux")).value;
    expect(choices).toContainEqual({ name: "Debian 13", status: "available" });
  });

  test("and carts are open to those without credentials, orders are not", async () => {
    const cart = await call("POST", "/order/cart", { ovhSubsidiary: "FR" }, anybody);
    expect(cart.status).toBe(200);
    const root = `/order/cart/${cart.value.cartId}`;
    expect((await call("POST", `${root}/vps`, { ...terms, planCode: older }, anybody)).status).toBe(200);
    expect((await call("POST", `${root}/assign`, undefined, anybody)).status).toBe(401);
    expect((await call("POST", `${root}/checkout`, undefined, anybody)).status).toBe(401);
  });
});
