/** @module What buying a server needs of the outside world: types only. */
import type { Offer } from "./catalogue.ts";
import type { OrderEvent, OrderLine } from "./order.ts";
import type { Ovh } from "./port.ts";

/** Kept for ever: what was bought, and what may have been. */
export interface OrderJournal {
  /** For messages. */
  readonly file: string;
  read(): Promise<OrderLine[]>;
  /** On the disk when it returns. */
  write(event: OrderEvent): Promise<void>;
  /** Orders of OVH that other journals name. */
  otherOrders(): Promise<readonly { readonly client: string; readonly orderId: number }[]>;
}

export interface OrderContext {
  readonly ovh: Ovh;
  readonly journal: OrderJournal;
  /** Public half of the fleet's key. */
  publicKey(): Promise<string>;
  scanHostKey(
    host: string,
    port: number,
  ): Promise<{ readonly hostKey: string; readonly fingerprint: string }>;
  /** Logs in with the fleet's key and does nothing there. @throws FleetError of the connection */
  logIn(server: {
    readonly client: string;
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly hostKey: string;
  }): Promise<void>;
  /**
   * Who names a VPS, or one of its addresses: a stack's file, another order's journal, a retirement's. For messages.
   * `undefined`: nobody.
   */
  whoKnows(serviceName: string, addresses: readonly string[]): Promise<string | undefined>;
  /** The server that the stack file has for a client; undefined for an unknown client. */
  declaredServer(client: string): Promise<string | undefined>;
  /** Writes the client's entry into the stack file. */
  declare(entry: Readonly<Record<string, unknown>>): Promise<void>;
  /** Shows the offer and asks whether to buy it. */
  confirm(offer: Offer): Promise<boolean>;
  /** Whether the service's name was typed: it is set up anew, and its disk emptied. */
  confirmService(serviceName: string): Promise<boolean>;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  report(key: OrderText, values: Readonly<Record<string, string | number>>): void;
}

/** What is told while an order goes on. */
export type OrderText =
  | "order.adopted"
  | "order.cart"
  | "order.declared"
  | "order.delivered"
  | "order.done"
  | "order.hostKey"
  | "order.ordered"
  | "order.paid"
  | "order.rebuild"
  | "order.resumes"
  | "order.status";
