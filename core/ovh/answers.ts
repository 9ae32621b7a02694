/** @module OVH's answers around orders and VPSes, as far as they are read. */
import { z } from "zod";

export const Ids = z.array(z.int());
export const Names = z.array(z.string());
export const Me = z.object({ nichandle: z.string(), ovhSubsidiary: z.string() });
export const Cart = z.object({
  cartId: z.string(),
  readOnly: z.boolean().nullish(),
  expire: z.string().nullish(),
});
export const Item = z.object({ itemId: z.int() });
export const Checkout = z.object({
  orderId: z.int().nullish(),
  prices: z.object({ withTax: z.object({ value: z.number() }) }),
});
export const Order = z.object({ date: z.string() });
export const OrderStatus = z.string();
export const OrderDetail = z.object({ domain: z.string().nullish() });
export const OrderExtension = z.object({
  order: z.object({
    plan: z.object({ code: z.string() }),
    configurations: z.array(z.object({ label: z.string(), value: z.string() })).nullish(),
  }),
});
export const Vps = z.object({ name: z.string(), displayName: z.string().nullish(), state: z.string() });
export const ServiceInfos = z.object({ creation: z.string() });
export const Image = z.object({ id: z.string(), name: z.string() });
export const Task = z.object({ id: z.int(), type: z.string(), state: z.string() });

/** Everything that buying and setting up a server asks of OVH. */
export const orderRights = [
  { method: "GET", path: "/me" },
  { method: "GET", path: "/me/payment/method" },
  { method: "GET", path: "/me/order*" },
  { method: "POST", path: "/me/order/*/pay" },
  { method: "POST", path: "/me/order/*/payWithRegisteredPaymentMean" },
  { method: "GET", path: "/order/cart*" },
  { method: "POST", path: "/order/cart*" },
  { method: "GET", path: "/vps*" },
  { method: "PUT", path: "/vps/*" },
  { method: "POST", path: "/vps/*/rebuild" },
] as const;
