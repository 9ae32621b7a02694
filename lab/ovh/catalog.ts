/** @module What the emulated OVH sells. Names of plans and options are OVH's; prices are invented. */

export interface Plan {
  readonly planCode: string;
  readonly label: string;
  readonly vcore: number;
  /** MiB. */
  readonly memory: number;
  /** GB. */
  readonly disk: number;
  readonly version: string;
  /** Euros a month without tax. */
  readonly price: number;
  /** Plan codes of options that an order must have. */
  readonly options: readonly string[];
}

export const datacenters = ["GRA", "SBG", "DE", "UK", "WAW"] as const;
export const systems = ["Debian 12", "Debian 13", "Ubuntu 24.04"] as const;
export const vatRate = 0.2;

const older = (n: number, vcore: number, memory: number, disk: number, price: number): Plan => ({
  planCode: `vps-2025-model${n}`,
  label: `VPS-${n}`,
  ...{ vcore, memory: memory * 1024, disk, version: "2025v1", price, options: [] },
});
const present = (n: number, vcore: number, memory: number, disk: number, price: number): Plan => ({
  planCode: `vps-2027-model${n}`,
  label: `VPS-${n}`,
  ...{ vcore, memory: memory * 1024, disk, version: "2027v1", price },
  options: [`option-auto-backup-2027-1-model${n}`, `option-storage-local-2027-model${n}`],
});

export const plans: readonly Plan[] = [
  older(1, 4, 8, 75, 5.52),
  older(2, 6, 12, 100, 8.49),
  present(1, 2, 4, 40, 4.2),
  present(3, 6, 12, 100, 9.9),
];

/** Euros a month without tax; the backup is paid, local storage is in the price. */
export function optionPrice(planCode: string): number {
  return planCode.startsWith("option-auto-backup") ? 1 : 0;
}

const money = (value: number) => Math.round(value * 100_000_000);

const pricings = (price: number) => [
  {
    capacities: ["installation", "renew"],
    commitment: 0,
    interval: 1,
    intervalUnit: "month",
    mode: "default",
    price: money(price),
    tax: money(price * vatRate),
    phase: 1,
    quantity: { min: 1, max: 1 },
    repeat: { min: 1, max: null },
    strategy: "tiered",
    type: "rental",
    description: "Monthly fees",
    mustBeCompleted: false,
    minimumQuantityCustom: null,
  },
];

/** `GET /order/catalog/public/vps`. Prices are in hundred-millionths of the currency, as OVH's. */
export function catalog(ovhSubsidiary: string): unknown {
  const configurations = [
    { name: "vps_datacenter", isCustom: false, isMandatory: true, values: datacenters },
    { name: "vps_os", isCustom: false, isMandatory: true, values: systems },
    { name: "vps_install_rtm", isCustom: false, isMandatory: false, values: ["no", "if_available"] },
  ];
  const options = plans.flatMap(({ options }) => options);
  return {
    catalogId: 1,
    locale: { currencyCode: "EUR", subsidiary: ovhSubsidiary, taxRate: vatRate * 100 },
    plans: plans.map((plan) => ({
      planCode: plan.planCode,
      invoiceName: plan.label,
      product: plan.planCode,
      pricingType: "rental",
      configurations,
      pricings: pricings(plan.price),
      addonFamilies: plan.options.map((option) => ({
        name: option.startsWith("option-auto-backup") ? "automatedBackup" : "storage",
        exclusive: true,
        mandatory: true,
        addons: [option],
        default: option,
      })),
      blobs: {
        tags: ["order-funnel:show"],
        technical: { cpu: { cores: plan.vcore }, memory: { size: plan.memory / 1024 } },
      },
    })),
    products: plans.map(({ planCode, label }) => ({ name: planCode, description: label })),
    addons: options.map((planCode) => ({
      planCode,
      invoiceName: planCode,
      product: planCode,
      pricingType: "rental",
      configurations: [],
      pricings: pricings(optionPrice(planCode)),
      addonFamilies: [],
    })),
    planFamilies: [],
  };
}
