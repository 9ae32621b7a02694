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
  /** OVH's account that was asked (its nichandle); journals of before do not tell it. */
  account: z.string().optional(),
});
export type Asked = z.infer<typeof Asked>;

export const OrderEvent = z.discriminatedUnion("event", [
  Asked,
  /** Made by a run here: no order is behind it. */
  z.object({ event: z.literal("cart"), cartId: z.string() }),
  /** Written before the cart is checked out: from here on an order may exist. */
  z.object({
    event: z.literal("checkingOut"),
    cartId: z.string(),
    account: z.string().optional(),
    /** Seconds since 1970 by OVH's clock. */
    at: z.number().optional(),
    /** Until when OVH knows the cart. */
    expire: z.string().optional(),
  }),
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

/** A cart whose checkout was begun. Moments are milliseconds since 1970. */
export interface CheckedOut {
  readonly cartId: string;
  /** Of the first time. */
  readonly time: string;
  /** For each time that it was sent: between which moments of OVH's clock an order of it was made. */
  readonly sent: readonly { readonly from: number; readonly to: number }[];
  /** From when on OVH may have forgotten the cart. */
  readonly expires: number;
}

export interface OrderProgress {
  readonly asked: Asked & { readonly time: string };
  readonly checkingOut?: CheckedOut;
  /** OVH's account that all of it belongs to, where it is known. */
  readonly account?: string;
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
  const checkingOut = checkedOut(lines);
  const account = last("checkingOut")?.account ?? asked.account;
  const ordered = last("ordered");
  const delivered = last("delivered");
  const reached = last("reached");
  return {
    asked,
    ...(checkingOut ? { checkingOut } : {}),
    ...(account === undefined ? {} : { account }),
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

/** A request is answered within a minute, and may wait a minute for its turn. */
const sendingMinutes = 10;
/** Seconds by which what is known of OVH's clock may be wrong. */
const clockSeconds = 5;
/** The same where OVH's clock was not asked, in minutes. */
const unaskedMinutes = 10;
/** OVH keeps a cart for a day. Source: its answer's `expire`. */
const cartHours = 24;

function checkedOut(lines: readonly OrderLine[]): CheckedOut | undefined {
  const all = lines.flatMap((line) => (line.event === "checkingOut" ? [line] : []));
  const newest = all.at(-1);
  if (!newest) return undefined;
  const own = all.filter(({ cartId }) => cartId === newest.cartId);
  const [first = newest] = own;
  return {
    cartId: newest.cartId,
    time: first.time,
    sent: own.map(({ at, time }) => {
      const moment = at === undefined ? Date.parse(time) : at * 1000;
      const slack = at === undefined ? unaskedMinutes * 60_000 : clockSeconds * 1000;
      return { from: moment - slack, to: moment + sendingMinutes * 60_000 + slack };
    }),
    expires: Date.parse(first.expire ?? "") || Date.parse(first.time) + cartHours * 3_600_000,
  };
}

/** Whether an order of this date can be one of the checkout's. */
export function isDuring({ sent }: CheckedOut, date: string): boolean {
  const moment = Date.parse(date);
  return sent.some(({ from, to }) => from <= moment && moment <= to);
}

/** Whether an order of this date was made after the checkout began, if it is not the checkout's. */
export function isSince({ sent }: CheckedOut, date: string): boolean {
  return Date.parse(date) >= Math.min(...sent.map(({ from }) => from));
}

/** Whether a service of this day (`2026-10-05`, wherever its midnight is) may have been made at or after a moment. */
export function mayBeSince(day: string, moment: string): boolean {
  const latest = Date.parse(`${day.slice(0, 10)}T00:00:00Z`) + 36 * 3_600_000;
  return latest >= Date.parse(moment);
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
