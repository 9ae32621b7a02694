/** @module `order`: buys a VPS at OVH for a town and declares it; `order list`: what was bought, and by whom it is known. */
import { setTimeout } from "node:timers/promises";
import { withFileLock } from "../../outside/file-lock.ts";
import { home, projectFolder } from "../../outside/home.ts";
import { scanHostKey } from "../../outside/host-key.ts";
import { whoKnows } from "../../outside/known-servers.ts";
import { openOvh } from "../../outside/ovh/client.ts";
import { orderedClients, orderJournal } from "../../outside/ovh/order-journal.ts";
import { readOutput } from "../../outside/pulumi.ts";
import { openSsh } from "../../outside/ssh.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { FleetError } from "../../core/errors.ts";
import { questionSeconds } from "../../core/limits.ts";
import { text } from "../../core/messages/catalogue.ts";
import { money, type Offer } from "../../core/ovh/catalogue.ts";
import { checkWish, userOf } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";
import { listOrders } from "../../verbs/order/list-orders.ts";
import { type OrderWish, orderServer } from "../../verbs/order/order-server.ts";
import { confirm, typed } from "../ask.ts";
import type { Console } from "../console.ts";
import { table } from "../table.ts";

export interface OrderCommandOptions {
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

export async function order(console: Console, name: string, options: OrderCommandOptions): Promise<void> {
  const { state } = home();
  // The name becomes a file's.
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name))
    throw new FleetError("ORDER_INVALID", {
      problems: `name: expected 1 to 40 characters of a-z, 0-9 and -, a letter first, got ${JSON.stringify(name.slice(0, 60))}`,
    });
  const wish = wishOf(name, options);
  if (wish) checkWish(wish);
  const limit = centsOf(options.maxPrice);
  const wait = wholeNumber("--wait", options.wait);
  const orderId = options.order === undefined ? undefined : wholeNumber("--order", options.order);
  if (options.yes && limit === undefined) throw new FleetError("ORDER_OPTIONS", { missing: "--max-price" });
  const journal = orderJournal(state, name);
  const project = projectFolder();
  const file = await stackFile(options.stack, { commit: options.commit !== false });
  await file.checkEditable();
  const context: OrderContext = {
    ovh: await openOvh(),
    journal,
    publicKey: async () =>
      String(await readOutput(process.env.GEOCLIC_MASTER_STACK ?? "master", "publicKey")),
    // Every system's image that is sold has one of this kind.
    scanHostKey: (host, port) => scanHostKey(host, port, { kinds: "ed25519" }),
    async logIn({ client, ...server }) {
      const ssh = await openSsh({ client, ...server });
      await ssh.run("order", ["true"], { timeoutSeconds: questionSeconds });
    },
    async declaredServer(client) {
      const declared = (await file.read()).clients.find((each) => each.name === client);
      return declared && (declared.serviceName ?? declared.ip);
    },
    declare: (entry) =>
      file.editClients((clients) => clients.add(entry as Parameters<typeof clients.add>[0]), `Order ${name}`),
    whoKnows: (serviceName, addresses) => whoKnows({ project, state, client: name }, serviceName, addresses),
    confirmService: (serviceName) =>
      typed(console, text("order.questionService", console.language, { serviceName }), serviceName),
    confirm: (offer) => showAndAsk(console, offer, options.yes === true),
    now: Date.now,
    sleep: async (milliseconds) => {
      await setTimeout(milliseconds);
    },
    report: (key, values) => console.progress(text(key, console.language, values)),
  };
  await withFileLock(journal.file, () =>
    orderServer(context, name, wish, {
      waitMinutes: wait,
      ...(limit === undefined ? {} : { maxCents: limit }),
      ...(orderId === undefined ? {} : { orderId }),
      buyAgain: options.buyAgain === true,
    }),
  );
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
function wishOf(name: string, options: OrderCommandOptions): OrderWish | undefined {
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
export async function orderList(
  console: Console,
  options: { stack?: string; json?: boolean },
): Promise<void> {
  const { state } = home();
  const file = await stackFile(options.stack);
  const rows = await listOrders({
    ovh: await openOvh(),
    journals: (await orderedClients(state)).map((client) => ({
      client,
      journal: orderJournal(state, client),
    })),
    declared: (await file.read()).clients,
  });
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
