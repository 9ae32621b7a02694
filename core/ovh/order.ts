/**
 * @module An order as its journal tells it. What costs money is written before it is done, so that the next run knows what
 * may have happened.
 */
import { z } from "zod";
import { parse } from "../config/parse.ts";
import { ClientConfig } from "../config/stack.ts";
import { FleetError } from "../errors.ts";

/** What the client's entry will say besides its server. */
const Client = z.object({
  name: z.string(),
  domain: z.string(),
  email: z.string(),
  town: z.string(),
  dns: z.enum(["managed", "external"]),
  canary: z.boolean(),
});
export type OrderedClient = z.infer<typeof Client>;

const Asked = z.object({
  event: z.literal("asked"),
  client: Client,
  plan: z.string(),
  datacenter: z.string(),
  os: z.string(),
  options: z.array(z.string()),
  /** A month, tax included, in cents. */
  cents: z.number(),
  currency: z.string(),
  ssh: z.object({ user: z.string(), port: z.number() }),
  /** Where the server is reached, with its address's parts as `{1}` to `{4}`. */
  reach: z.string(),
});
export type Asked = z.infer<typeof Asked>;

export const OrderEvent = z.discriminatedUnion("event", [
  Asked,
  /** Written before the cart is checked out: from here on an order may exist. */
  z.object({ event: z.literal("checkingOut"), cartId: z.string() }),
  z.object({ event: z.literal("ordered"), orderId: z.int() }),
  z.object({ event: z.literal("delivered"), serviceName: z.string() }),
  /** Written before the rebuild is asked for, which empties the disk. */
  z.object({ event: z.literal("rebuilding"), serviceName: z.string() }),
  z.object({ event: z.literal("rebuilt") }),
  z.object({ event: z.literal("reached"), reach: z.string(), hostKey: z.string(), fingerprint: z.string() }),
  z.object({ event: z.literal("declared") }),
]);
export type OrderEvent = z.infer<typeof OrderEvent>;

/** A line of the journal. */
export const OrderLine = OrderEvent.and(z.object({ time: z.iso.datetime() }));
export type OrderLine = OrderEvent & { readonly time: string };

export interface OrderProgress {
  readonly asked: Asked & { readonly time: string };
  /** Cart whose checkout was begun, and when. */
  readonly checkingOut?: { readonly cartId: string; readonly time: string };
  readonly orderId?: number;
  readonly serviceName?: string;
  readonly rebuilding: boolean;
  readonly rebuilt: boolean;
  readonly reached?: { readonly reach: string; readonly hostKey: string; readonly fingerprint: string };
  readonly declared: boolean;
}

/** Where an order stands; undefined when nothing was asked for. */
export function progressOf(lines: readonly OrderLine[]): OrderProgress | undefined {
  // A wish may be changed until a checkout begins.
  const asked = lines.findLast((line) => line.event === "asked");
  if (asked?.event !== "asked") return undefined;
  const last = <E extends OrderEvent["event"]>(event: E) =>
    lines.findLast((line): line is Extract<OrderLine, { event: E }> => line.event === event);
  const checkingOut = last("checkingOut");
  const ordered = last("ordered");
  const delivered = last("delivered");
  const reached = last("reached");
  return {
    asked,
    ...(checkingOut ? { checkingOut: { cartId: checkingOut.cartId, time: checkingOut.time } } : {}),
    ...(ordered ? { orderId: ordered.orderId } : {}),
    ...(delivered ? { serviceName: delivered.serviceName } : {}),
    rebuilding: last("rebuilding") !== undefined,
    rebuilt: last("rebuilt") !== undefined,
    ...(reached
      ? { reached: { reach: reached.reach, hostKey: reached.hostKey, fingerprint: reached.fingerprint } }
      : {}),
    declared: last("declared") !== undefined,
  };
}

/** `127.0.10.{4}` of 10.77.0.12 is 127.0.10.12. */
export function reachOfAddress(template: string, address: string): string {
  const parts = address.split(".");
  return template.replaceAll(/\{([1-4])\}/g, (_, part: string) => parts[Number(part) - 1] ?? "");
}

/** The entry of the stack file. */
export function orderedEntry(
  asked: Pick<Asked, "client" | "ssh">,
  server: { readonly serviceName: string; readonly reach: string; readonly hostKey: string },
): Record<string, unknown> {
  const { name, domain, email, town, dns, canary } = asked.client;
  return {
    ...{ name, domain, email, town },
    serviceName: server.serviceName,
    reach: server.reach,
    ssh: { ...asked.ssh, hostKey: server.hostKey },
    dns,
    ...(canary ? { canary } : {}),
  };
}

/** Nothing is bought for a client that the stack file would refuse. @throws FleetError `ORDER_INVALID` */
export function checkWish(asked: Pick<Asked, "client" | "ssh" | "reach">): void {
  const server = {
    serviceName: "vps-0a1b2c3d.vps.ovh.net",
    reach: reachOfAddress(asked.reach, "192.0.2.1"),
    hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
  };
  const parsed = parse(ClientConfig, orderedEntry(asked, server));
  if (!parsed.ok) throw new FleetError("ORDER_INVALID", { problems: parsed.problems });
}

/** Default user of OVH's image of a system. */
export function userOf(os: string): string {
  return os.toLowerCase().startsWith("debian") ? "debian" : "ubuntu";
}
