/** @module From an order to the VPS that it delivers. */
import { FleetError } from "../../core/errors.ts";
import { Ids, OrderDetail, OrderExtension, OrderStatus } from "../../core/ovh/answers.ts";
import type { Asked } from "../../core/ovh/order.ts";
import type { OrderContext } from "../../core/ovh/order-ports.ts";

const pauses = [2, 3, 5, 10];

/** @returns the service's name, e.g. `vps-0a1b2c3d.vps.ovh.net` */
export async function awaitDelivery(
  context: OrderContext,
  asked: Asked,
  orderId: number,
  minutes: number,
): Promise<string> {
  const end = context.now() + minutes * 60_000;
  let told = "";
  for (let round = 0; ; round += 1) {
    const status = await context.ovh.get(`/me/order/${orderId}/status`, { schema: OrderStatus });
    if (status !== told) context.report("order.status", { order: orderId, status });
    told = status;
    if (status === "delivered") {
      const serviceName = await serviceOf(context, asked, orderId);
      if (serviceName !== undefined) {
        context.report("order.delivered", { server: serviceName });
        return serviceName;
      }
    }
    if (status === "documentsRequested") throw new FleetError("ORDER_DOCUMENTS", { order: orderId });
    if (status === "cancelled" || status === "cancelling")
      throw new FleetError("ORDER_STOPPED", { order: orderId, status, journal: context.journal.file });
    if (status === "notPaid") await pay(context, asked, orderId);
    if (context.now() >= end) throw new FleetError("ORDER_SLOW", { order: orderId, status, minutes });
    await context.sleep((pauses[round] ?? pauses.at(-1) ?? 10) * 1000);
  }
}

/** An order is paid once, whatever is sent: its status was read just before, and OVH refuses a second payment. */
async function pay(context: OrderContext, asked: Asked, orderId: number): Promise<void> {
  try {
    if (asked.cents === 0) {
      const body = { paymentMean: "fidelityAccount" };
      await context.ovh.post(`/me/order/${orderId}/payWithRegisteredPaymentMean`, { body });
    } else {
      const [id] = await context.ovh.get("/me/payment/method?default=true", { schema: Ids });
      if (id === undefined) throw new FleetError("ORDER_NO_PAYMENT");
      await context.ovh.post(`/me/order/${orderId}/pay`, { body: { paymentMethod: { id } } });
    }
    context.report("order.paid", {});
  } catch (error) {
    // The next look at the status tells whether it was paid.
    if (!(error instanceof FleetError) || !isUncertain(error)) throw error;
  }
}

function isUncertain({ code, values }: FleetError): boolean {
  const status = Number(values.status);
  return (
    code === "OVH_UNREACHABLE" ||
    (code === "OVH_REFUSED" && (status === 408 || status === 429 || status >= 500))
  );
}

async function serviceOf(context: OrderContext, asked: Asked, orderId: number): Promise<string | undefined> {
  const root = `/me/order/${orderId}/details`;
  for (const detail of await context.ovh.get(root, { schema: Ids })) {
    const { order } = await context.ovh.get(`${root}/${detail}/extension`, { schema: OrderExtension });
    if (order.plan.code !== asked.plan) continue;
    const { domain } = await context.ovh.get(`${root}/${detail}`, { schema: OrderDetail });
    if (domain && domain !== "*") return domain;
  }
  return undefined;
}
