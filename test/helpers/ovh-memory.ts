/** @module OVH in memory, as far as orders go: accounts with carts, orders and servers, by a clock that only sleeps move. */
import { FleetError } from "../../core/errors.ts";
import type { Ovh, OvhRequest } from "../../core/ovh/port.ts";

interface Cart {
  readonly description: string;
  expire: number;
  items: number;
  orderId?: number;
}

export interface MemoryOrder {
  readonly orderId: number;
  readonly account: string;
  readonly date: number;
  /** Not listed before. */
  listedFrom: number;
  readonly serviceName: string;
  paid?: number;
}

export interface MemoryVps {
  readonly serviceName: string;
  readonly account: string;
  readonly address: string;
  readonly created: number;
  displayName: string;
  rebuilds: number;
  key?: string;
}

export const plan = "vps-2027-model1";
const deliverySeconds = 20;
const taskSeconds = 30;

export class MemoryOvh {
  now = Date.UTC(2026, 10, 23, 9);
  /** Seconds until a new order is listed. */
  listDelay = 0;
  checkouts = 0;
  readonly carts = new Map<string, Cart & { account: string }>();
  readonly orders: MemoryOrder[] = [];
  readonly servers = new Map<string, MemoryVps>();
  #next = 1000;

  /** A server that is there, and the order that it came by. */
  own(account: string, displayName: string, created = this.now): MemoryVps {
    const order = this.#order(account, created);
    order.paid = created;
    const vps = this.#deliver(order, created);
    if (displayName !== "") vps.displayName = displayName;
    return vps;
  }

  orderOf(serviceName: string): number {
    return this.orders.find((order) => order.serviceName === serviceName)?.orderId ?? 0;
  }

  /** What one account's credentials see. */
  open(account: string): Ovh {
    const send =
      (method: string) =>
      async <T>(path: string, request: OvhRequest<T> = {}): Promise<T> => {
        const answer = this.#answer(account, method, path, request.body ?? {});
        return request.schema ? request.schema.parse(answer) : (undefined as T);
      };
    return {
      get: send("GET"),
      post: send("POST"),
      put: send("PUT"),
      delete: send("DELETE"),
      time: async () => Math.floor(this.now / 1000),
      checkRights: async () => {},
    };
  }

  #order(account: string, date: number): MemoryOrder {
    const orderId = this.#next++;
    const serviceName = `vps-${orderId.toString(16).padStart(8, "0")}.vps.ovh.net`;
    const listedFrom = date + this.listDelay * 1000;
    const order = { orderId, account, date, listedFrom, serviceName };
    this.orders.push(order);
    return order;
  }

  #deliver({ serviceName, account, orderId }: MemoryOrder, created: number): MemoryVps {
    const address = `10.77.${Math.floor(orderId / 250)}.${(orderId % 250) + 1}`;
    const vps = { serviceName, account, address, created, displayName: serviceName, rebuilds: 0 };
    this.servers.set(serviceName, vps);
    return vps;
  }

  #answer(account: string, method: string, full: string, body: Readonly<Record<string, unknown>>): unknown {
    const [path = "", query = ""] = full.split("?");
    const refuse = (status: number) =>
      new FleetError("OVH_REFUSED", { method, path, status, query: "-", cause: "refused" });
    const parts = path.split("/").slice(1);
    const asked = new URLSearchParams(query);
    if (path === "/me") return { nichandle: account, ovhSubsidiary: "FR" };
    if (path === "/me/payment/method") return [1];
    if (path.startsWith("/order/catalog")) return catalogue;
    if (path === "/vps/order/rule/datacenter")
      return { datacenters: [{ datacenter: "GRA", status: "available" }] };
    if (parts[0] === "order") return this.#cart(account, method, parts.slice(2), asked, body, refuse);
    if (parts[0] === "me") return this.#ordered(account, method, parts.slice(2), asked, refuse);
    return this.#server(account, method, parts.slice(1), body, refuse);
  }

  #cart(
    account: string,
    method: string,
    [id, ...rest]: readonly string[],
    asked: URLSearchParams,
    body: Readonly<Record<string, unknown>>,
    refuse: (status: number) => Error,
  ): unknown {
    if (id === undefined && method === "POST") {
      const cartId = `cart-${this.#next++}`;
      const description = String(body.description ?? "");
      this.carts.set(cartId, { account, description, expire: this.now + 86_400_000, items: 0 });
      return this.#shownCart(cartId);
    }
    if (id === undefined)
      return [...this.carts]
        .filter(([, cart]) => cart.account === account && cart.expire > this.now)
        .filter(([, cart]) => cart.description === asked.get("description"))
        .map(([cartId]) => cartId);
    const cart = this.carts.get(id);
    if (!cart || cart.account !== account || cart.expire <= this.now) throw refuse(404);
    if (rest.length === 0) return this.#shownCart(id);
    if (rest[0] === "vps") return { itemId: ++cart.items };
    if (rest[0] !== "checkout") return null;
    if (cart.orderId !== undefined) throw refuse(400);
    const prices = { withTax: { value: 7.2 } };
    if (method === "GET") return { prices };
    this.checkouts += 1;
    cart.orderId = this.#order(account, this.now).orderId;
    return { orderId: cart.orderId, prices };
  }

  #shownCart(cartId: string): unknown {
    const cart = this.carts.get(cartId);
    return {
      cartId,
      readOnly: cart?.orderId !== undefined,
      expire: new Date(cart?.expire ?? 0).toISOString(),
    };
  }

  #ordered(
    account: string,
    method: string,
    [id, ...rest]: readonly string[],
    asked: URLSearchParams,
    refuse: (status: number) => Error,
  ): unknown {
    const from = Date.parse(asked.get("date.from") ?? "1970-01-01");
    if (id === undefined)
      return this.orders
        .filter((order) => order.account === account && order.date >= from && order.listedFrom <= this.now)
        .map(({ orderId }) => orderId);
    const order = this.orders.find((each) => each.account === account && String(each.orderId) === id);
    if (!order) throw refuse(404);
    if (method === "POST") {
      order.paid ??= this.now;
      return null;
    }
    if (rest.length === 0) return { date: new Date(order.date).toISOString() };
    const isDelivered = order.paid !== undefined && this.now >= order.paid + deliverySeconds * 1000;
    if (isDelivered && !this.servers.has(order.serviceName)) this.#deliver(order, this.now);
    if (rest[0] === "status")
      return isDelivered ? "delivered" : order.paid === undefined ? "notPaid" : "delivering";
    if (rest.length === 1) return [1];
    if (rest.length === 2) return { domain: isDelivered ? order.serviceName : "" };
    const configurations = [
      { label: "vps_datacenter", value: "GRA" },
      { label: "vps_os", value: "Debian 13" },
    ];
    return { order: { plan: { code: plan }, configurations } };
  }

  #server(
    account: string,
    method: string,
    [name, ...rest]: readonly string[],
    body: Readonly<Record<string, unknown>>,
    refuse: (status: number) => Error,
  ): unknown {
    if (name === undefined)
      return [...this.servers.values()]
        .filter((vps) => vps.account === account)
        .map((vps) => vps.serviceName);
    const vps = this.servers.get(name);
    if (!vps || vps.account !== account) throw refuse(404);
    if (method === "PUT") {
      vps.displayName = String(body.displayName);
      return null;
    }
    const shown = rest.join("/");
    if (shown === "") return { name, displayName: vps.displayName, state: "running" };
    if (shown === "ips") return [vps.address];
    if (shown === "serviceInfos") return { creation: new Date(vps.created).toISOString().slice(0, 10) };
    if (shown === "images/available") return ["debian"];
    if (shown === "images/available/debian") return { id: "debian", name: "Debian 13" };
    if (shown === "rebuild") {
      vps.rebuilds += 1;
      vps.key = String(body.publicSshKey);
      this.now += taskSeconds * 1000;
      return { id: vps.rebuilds, type: "reinstallVm", state: "done" };
    }
    if (shown === "tasks") return Array.from({ length: vps.rebuilds }, (_, index) => index + 1);
    return { id: Number(rest[1]), type: "reinstallVm", state: "done" };
  }
}

const price = { intervalUnit: "month", interval: 1, capacities: ["renew"], mode: "default" };
const catalogue = {
  locale: { currencyCode: "EUR" },
  plans: [
    {
      planCode: plan,
      configurations: [
        { name: "vps_datacenter", values: ["GRA"] },
        { name: "vps_os", values: ["Debian 13"] },
      ],
      addonFamilies: [],
      pricings: [{ ...price, price: 600_000_000, tax: 120_000_000 }],
    },
  ],
  addons: [],
};
