/** @module `order`: buys a VPS at OVH for a town and declares it; `order list`: what was bought, and by whom it is known. */
import { clientName } from "../../core/config/stack.ts";
import { FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { money, type Offer } from "../../core/ovh/catalogue.ts";
import { checkWish, userOf } from "../../core/ovh/order.ts";
import type { OrderWish } from "../../wiring/order.ts";
import { confirm, typed } from "../ask.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { asAttended } from "../operation.ts";
import { jsonOption, stackOption } from "../options.ts";
import { table } from "../table.ts";

interface OrderOptions {
  readonly domain?: string;
  readonly email?: string;
  readonly town?: string;
  readonly plan: string;
  readonly datacenter: string;
  readonly os: string;
  readonly dns: "managed" | "external";
  readonly canary?: boolean;
  readonly sshUser?: string;
  readonly reach: string;
  readonly maxPrice?: string;
  readonly wait: string;
  readonly order?: string;
  readonly buyAgain?: boolean;
  readonly yes?: boolean;
  readonly stack?: string;
  readonly commit?: boolean;
}

const order = command({
  path: "order",
  group: "registry",
  help: "help.order",
  arguments: [{ usage: "<name>" }],
  options: [
    { usage: "--domain <name>", help: "help.order.domain" },
    { usage: "--email <address>", help: "help.order.email" },
    { usage: "--town <name>", help: "help.order.town" },
    { usage: "--plan <code>", help: "help.order.plan", fallback: "vps-2025-model1" },
    { usage: "--datacenter <code>", help: "help.order.datacenter", fallback: "GRA" },
    { usage: "--os <name>", help: "help.order.os", fallback: "Debian 13" },
    { usage: "--dns <kind>", help: "help.order.dns", choices: ["managed", "external"], fallback: "managed" },
    { usage: "--canary", help: "help.order.canary" },
    { usage: "--max-price <amount>", help: "help.order.maxPrice" },
    { usage: "--yes", help: "help.order.yes" },
    { usage: "--wait <minutes>", help: "help.order.wait", fallback: "60" },
    { usage: "--reach <template>", help: "help.order.reach", fallback: "{1}.{2}.{3}.{4}" },
    { usage: "--ssh-user <name>", help: "help.order.sshUser" },
    { usage: "--order <id>", help: "help.order.order" },
    { usage: "--buy-again", help: "help.order.buyAgain" },
    { usage: "--no-commit", help: "help.order.noCommit" },
    stackOption,
  ],
  examples: [
    "order ville-lyon --domain ville-lyon.geoclic.fr --email admin@ville-lyon.fr --town 'Mairie de Lyon' --max-price 12",
  ],
  run: (console, options: OrderOptions, name: string) => run(console, name, options),
});

const orderList = command({
  path: "order list",
  help: "help.orderList",
  options: [stackOption, jsonOption],
  examples: ["order list"],
  run: (console, options: { readonly stack?: string; readonly json?: boolean }) => list(console, options),
});

export const orderCommands = [order, orderList] as const;

async function run(console: Console, name: string, options: OrderOptions): Promise<void> {
  // The name is used as a file's name below.
  if (!clientName.safeParse(name).success)
    throw new FleetError("ORDER_INVALID", {
      problems: `name: expected 1 to 40 characters of a-z, 0-9 and -, a letter first, got ${JSON.stringify(name.slice(0, 60))}`,
    });
  const wish = wishOf(name, options);
  if (wish) checkWish(wish);
  const maxCents = centsOf(options.maxPrice);
  const waitMinutes = wholeNumber("--wait", options.wait);
  const orderId = options.order === undefined ? undefined : wholeNumber("--order", options.order);
  if (options.yes && maxCents === undefined)
    throw new FleetError("ORDER_OPTIONS", { missing: "--max-price" });
  const { orderFile, orderTown } = await import("../../wiring/order.ts");
  const file = await orderFile(options.stack, options.commit !== false);
  // A server may take an hour to come: other operations of the stack do not wait for it.
  const asked = {
    ...{ waitMinutes, buyAgain: options.buyAgain === true },
    ...(maxCents === undefined ? {} : { maxCents }),
    ...(orderId === undefined ? {} : { orderId }),
  };
  const request = { verb: "order", name, ...asked, ...(wish ? { wish } : {}) } as const;
  const work = (attended: Console) =>
    orderTown(attended, file, name, wish, asked, {
      confirmService: (serviceName) =>
        typed(attended, text("order.questionService", console.language, { serviceName }), serviceName),
      confirm: (offer) => showAndAsk(attended, offer, options.yes === true),
    });
  await asAttended(console, file.stack, request, work, `order-${name}`);
}

async function showAndAsk(console: Console, offer: Offer, isAgreed: boolean): Promise<boolean> {
  const price = money(offer.cents.withTax, offer.currency);
  const net = money(offer.cents.withoutTax, offer.currency);
  const { plan, datacenter, os, options } = offer;
  console.progress(text("order.offer", console.language, { plan, datacenter, os, price, net }));
  if (options.length > 0)
    console.progress(text("order.options", console.language, { options: options.join(", ") }));
  return isAgreed || confirm(console, text("order.confirm", console.language, { price }));
}

/** Undefined when nothing of a new order is given: then an order of before goes on. */
function wishOf(name: string, options: OrderOptions): OrderWish | undefined {
  const { domain, email, town, plan, datacenter, os, dns, canary, sshUser, reach } = options;
  if (domain === undefined && email === undefined && town === undefined) return undefined;
  if (domain === undefined || email === undefined || town === undefined) {
    const missing = Object.entries({ domain, email, town }).filter(([, value]) => value === undefined);
    throw new FleetError("ORDER_OPTIONS", { missing: missing.map(([option]) => `--${option}`).join(", ") });
  }
  checkCodes({ plan, datacenter, os });
  return {
    client: { name, domain, email, town, dns, canary: canary === true },
    ssh: { user: sshUser ?? userOf(os), port: 22 },
    ...{ reach, plan, datacenter, os },
  };
}

/** They become parts of addresses at OVH; what is sold is known there. */
function checkCodes(codes: Readonly<Record<string, string>>): void {
  for (const [option, code] of Object.entries(codes))
    if (!/^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,59}$/.test(code))
      throw new FleetError("ORDER_INVALID", {
        problems: `--${option}: expected letters, digits, spaces and . _ ( ) -, got ${JSON.stringify(code.slice(0, 60))}`,
      });
}

function centsOf(price: string | undefined): number | undefined {
  if (price === undefined) return undefined;
  if (/^\d{1,5}([.,]\d{1,2})?$/.test(price)) return Math.round(Number(price.replace(",", ".")) * 100);
  throw new FleetError("ORDER_INVALID", {
    problems: `--max-price: expected e.g. 7.50, got ${JSON.stringify(price.slice(0, 60))}`,
  });
}

function wholeNumber(option: string, value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new FleetError("ORDER_INVALID", {
    problems: `${option}: expected a whole number, got ${JSON.stringify(value.slice(0, 60))}`,
  });
}

/** Ends with status 1 when something at OVH is not known to the fleet. */
async function list(
  console: Console,
  options: { readonly stack?: string; readonly json?: boolean },
): Promise<void> {
  const { readOrders } = await import("../../wiring/order.ts");
  const rows = await readOrders(options.stack);
  if (rows.some(({ state: each }) => each.startsWith("orphan") || each === "vanished")) console.fail();
  if (options.json) return console.json(rows);
  const t = (key: Parameters<typeof text>[0]) => text(key, console.language);
  if (rows.length === 0) return console.print(t("order.none"));
  console.print(
    table(
      [t("order.column.client"), t("order.column.server"), t("order.column.order"), t("order.column.state")],
      rows.map(({ client, server, order: id, state: each }) => [
        client ?? "-",
        server ?? "-",
        id === undefined ? "-" : String(id),
        t(`order.state.${each}`),
      ]),
    ),
  );
}
