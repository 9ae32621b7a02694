/** @module What OVH sells: plans, what an order of one must have, and what it costs a month. */
import { z } from "zod";
import { FleetError } from "../errors.ts";

const Pricing = z.object({
  capacities: z.array(z.string()),
  intervalUnit: z.string(),
  interval: z.number(),
  mode: z.string(),
  /** Hundred-millionths of the currency. */
  price: z.number(),
  tax: z.number(),
});

const Addon = z.object({ planCode: z.string(), pricings: z.array(Pricing) });

const Plan = Addon.extend({
  configurations: z.array(
    z.object({ name: z.string(), isMandatory: z.boolean().nullish(), values: z.array(z.string()).nullish() }),
  ),
  addonFamilies: z
    .array(
      z.object({
        name: z.string(),
        mandatory: z.boolean().nullish(),
        addons: z.array(z.string()),
        default: z.string().nullish(),
      }),
    )
    .nullish(),
});

/** `GET /order/catalog/public/vps` as far as it is read. */
export const Catalogue = z.object({
  locale: z.object({ currencyCode: z.string() }),
  plans: z.array(Plan),
  addons: z.array(Addon),
});
export type Catalogue = z.infer<typeof Catalogue>;

/** `GET /vps/order/rule/datacenter` as far as it is read. */
export const DatacenterRules = z.object({
  datacenters: z.array(
    z.object({ datacenter: z.string(), status: z.string().nullish(), linuxStatus: z.string().nullish() }),
  ),
});
export type DatacenterRules = z.infer<typeof DatacenterRules>;

export interface Wish {
  readonly plan: string;
  readonly datacenter: string;
  /** OVH's name of the system, e.g. `Debian 13`. */
  readonly os: string;
}

export interface Offer extends Wish {
  /** Plan codes of the options without which OVH takes no order. */
  readonly options: readonly string[];
  readonly currency: string;
  /** A month, in whole cents of the currency. */
  readonly cents: { readonly withoutTax: number; readonly withTax: number };
}

/** @throws FleetError `ORDER_NOT_SOLD` that lists what is */
export function offer(catalogue: Catalogue, rules: DatacenterRules, wish: Wish): Offer {
  const plan = catalogue.plans.find(({ planCode }) => planCode === wish.plan);
  if (!plan)
    throw notSold(
      "plan",
      wish.plan,
      catalogue.plans.map(({ planCode }) => planCode),
    );
  const values = (name: string) => plan.configurations.find((each) => each.name === name)?.values ?? [];
  if (!values("vps_os").includes(wish.os)) throw notSold("os", wish.os, values("vps_os"));
  const open = rules.datacenters
    .filter(({ status, linuxStatus }) => (linuxStatus ?? status) === "available")
    .map(({ datacenter }) => datacenter)
    .filter((datacenter) => values("vps_datacenter").includes(datacenter));
  if (!open.includes(wish.datacenter)) throw notSold("datacenter", wish.datacenter, open);
  const options = (plan.addonFamilies ?? [])
    .filter(({ mandatory }) => mandatory === true)
    .map(({ default: first, addons }) => first ?? addons[0] ?? "");
  const parts = [
    plan,
    ...options.map((option) => catalogue.addons.find(({ planCode }) => planCode === option)),
  ];
  const prices = parts.map((part) => monthly(part?.pricings ?? [], part?.planCode ?? wish.plan));
  const sum = (of: (price: { price: number; tax: number }) => number) =>
    Math.round(prices.reduce((total, price) => total + of(price), 0) / 1_000_000);
  return {
    ...wish,
    options,
    currency: catalogue.locale.currencyCode,
    cents: { withoutTax: sum(({ price }) => price), withTax: sum(({ price, tax }) => price + tax) },
  };
}

function monthly(pricings: readonly z.infer<typeof Pricing>[], planCode: string): z.infer<typeof Pricing> {
  const found = pricings.find(
    ({ mode, interval, intervalUnit, capacities }) =>
      mode === "default" && interval === 1 && intervalUnit === "month" && capacities.includes("renew"),
  );
  if (!found) throw notSold("plan", planCode, ["plans that are paid by the month"]);
  return found;
}

function notSold(what: string, got: string, allowed: readonly string[]): FleetError {
  return new FleetError("ORDER_NOT_SOLD", { what, got, allowed: allowed.join(", ") || "nothing" });
}

/** `6.62 EUR` */
export function money(cents: number, currency: string): string {
  return `${(cents / 100).toFixed(2)} ${currency}`;
}
