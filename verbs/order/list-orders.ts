/** @module Every order that was journalled, and what is at OVH that nobody of the fleet knows. */
import type { z } from "zod";
import { FleetError } from "../../core/errors.ts";
import { Ids, Names, OrderStatus, Vps } from "../../core/ovh/answers.ts";
import { type OrderProgress, progressOf } from "../../core/ovh/order.ts";
import type { OrderJournal } from "../../core/ovh/order-ports.ts";
import type { Ovh } from "../../core/ovh/port.ts";

export interface OrderRow {
  readonly client?: string;
  readonly server?: string;
  readonly order?: number;
  readonly state:
    | "asked"
    | "checkingOut"
    | "ordered"
    | "delivered"
    | "declared"
    | "vanished"
    | "orphanServer"
    | "orphanOrder";
}

export interface ListOrdersInput {
  readonly ovh: Ovh;
  readonly journals: readonly { readonly client: string; readonly journal: OrderJournal }[];
  /** Clients of the stack file. */
  readonly declared: readonly { readonly name: string; readonly serviceName?: string | undefined }[];
}

/** An order that is still open may deliver a server that nobody waits for; older ones are history. */
const lookDays = 30;

export async function listOrders({ ovh, journals, declared }: ListOrdersInput): Promise<OrderRow[]> {
  const servers = await ovh.get("/vps", { schema: Names });
  const known = await Promise.all(
    journals.map(async ({ client, journal }) => ({ client, progress: progressOf(await journal.read()) })),
  );
  const rows = known.flatMap(({ client, progress }) => (progress ? [row(client, progress, servers)] : []));
  const named = new Set([
    ...declared.flatMap(({ serviceName }) => serviceName ?? []),
    ...rows.flatMap(({ server }) => server ?? []),
  ]);
  const strangers = servers.filter((server) => !named.has(server));
  const orphans = await Promise.all(strangers.map((server) => orphanServer(ovh, server)));
  const orders = new Set(rows.flatMap(({ order }) => order ?? []));
  return [...rows, ...orphans, ...(await orphanOrders(ovh, orders))];
}

function row(client: string, progress: OrderProgress, servers: readonly string[]): OrderRow {
  const { orderId, serviceName, checkingOut, declared } = progress;
  const place = {
    client,
    ...(serviceName === undefined ? {} : { server: serviceName }),
    ...(orderId === undefined ? {} : { order: orderId }),
  };
  if (serviceName !== undefined && !servers.includes(serviceName)) return { ...place, state: "vanished" };
  if (declared) return { ...place, state: "declared" };
  if (serviceName !== undefined) return { ...place, state: "delivered" };
  if (orderId !== undefined) return { ...place, state: "ordered" };
  return { ...place, state: checkingOut ? "checkingOut" : "asked" };
}

async function orphanServer(ovh: Ovh, server: string): Promise<OrderRow> {
  const { displayName } = await ovh.get(`/vps/${server}`, { schema: Vps }).catch(gone);
  return {
    server,
    state: "orphanServer",
    ...(displayName && displayName !== server ? { client: displayName } : {}),
  };
}

function gone(error: unknown): z.infer<typeof Vps> {
  if (error instanceof FleetError && [404, 460].includes(Number(error.values.status)))
    return { name: "", displayName: null, state: "gone" };
  throw error;
}

/** Open ones only: a delivered order is its server, which is listed by itself. */
async function orphanOrders(ovh: Ovh, known: ReadonlySet<number>): Promise<OrderRow[]> {
  const from = new Date(Date.now() - lookDays * 86_400_000).toISOString();
  const ids = await ovh.get(`/me/order?date.from=${encodeURIComponent(from)}`, { schema: Ids });
  const rows: OrderRow[] = [];
  for (const id of ids.filter((each) => !known.has(each))) {
    const status = await ovh.get(`/me/order/${id}/status`, { schema: OrderStatus });
    if (["notPaid", "checking", "delivering", "documentsRequested"].includes(status))
      rows.push({ order: id, state: "orphanOrder" });
  }
  return rows;
}
