/** @module What a cart costs, and how prices are shown. */
import { badRequest } from "./api.ts";
import { optionPrice, type Plan, plans, vatRate } from "./catalog.ts";
import type { Cart, Item } from "./state.ts";

/** @throws ApiError for what is not sold */
export function planOf(planCode: unknown): Plan {
  const plan = plans.find((each) => each.planCode === planCode);
  if (!plan) throw badRequest(`Plan ${String(planCode)} does not exist`);
  return plan;
}

/** Euros without tax. */
export function priceOf({ planCode, parentItemId }: Item): number {
  return parentItemId === null ? planOf(planCode).price : optionPrice(planCode);
}

export function total(cart: Cart): number {
  return cart.items.reduce((sum, item) => sum + priceOf(item), 0);
}

export function shownPrice(value: number) {
  const rounded = Math.round(value * 100) / 100;
  return { value: rounded, currencyCode: "EUR", text: `${rounded.toFixed(2)} €` };
}

export function shownPrices(withoutTax: number) {
  return {
    withoutTax: shownPrice(withoutTax),
    tax: shownPrice(withoutTax * vatRate),
    withTax: shownPrice(withoutTax * (1 + vatRate)),
  };
}

/** The answer of a checkout; a dry run has no order. */
export function shownCheckout(cart: Cart, orderId: number | null) {
  const url =
    orderId === null ? null : `https://www.ovh.com/cgi-bin/order/displayOrder.cgi?orderId=${orderId}`;
  return { orderId, url, contracts: [], details: [], prices: shownPrices(total(cart)) };
}
