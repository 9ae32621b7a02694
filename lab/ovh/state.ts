/** @module What the emulated OVH knows: plain data, kept in one file. */
import { readFileSync } from "node:fs";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface Item {
  readonly itemId: number;
  readonly planCode: string;
  readonly duration: string;
  readonly pricingMode: string;
  readonly parentItemId: number | null;
  readonly configurations: { id: number; label: string; value: string }[];
}

export interface Cart {
  readonly cartId: string;
  readonly description: string | null;
  readonly expire: string;
  readonly items: Item[];
  isAssigned: boolean;
  orderId: number | null;
}

export interface Order {
  readonly orderId: number;
  readonly cartId: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly planCode: string;
  readonly datacenter: string;
  readonly os: string;
  readonly priceWithoutTax: number;
  readonly detailId: number;
  paid: number | null;
  delivered: number | null;
  serviceName: string | null;
  /** A status that stays, whatever time does. */
  stuck: "delivering" | "documentsRequested" | "cancelled" | null;
}

export interface Task {
  readonly id: number;
  readonly type: "deliverVm" | "reinstallVm" | "rebootVm" | "startVm" | "stopVm" | "setNetboot";
  readonly created: number;
  /** When it is done. */
  readonly until: number;
  /** Not listed before. */
  readonly listedFrom: number;
  failed: boolean;
}

export interface Vps {
  readonly serviceName: string;
  readonly model: string;
  readonly datacenter: string;
  readonly serviceId: number;
  readonly created: number;
  displayName: string;
  ips: string[];
  state: string;
  netbootMode: "local" | "rescue";
  image: string;
  tasks: Task[];
  terminationToken: string | null;
  isTerminated: boolean;
  deleteAtExpiration: boolean;
}

export interface ZoneRecordState {
  readonly id: number;
  fieldType: string;
  subDomain: string;
  target: string;
  ttl: number;
}

export interface ZoneState {
  readonly name: string;
  serial: number;
  lastUpdate: string;
  /** As the API shows them. */
  records: ZoneRecordState[];
  /** As the name servers answer them. */
  published: ZoneRecordState[];
}

export interface Mail {
  readonly id: number;
  readonly date: string;
  readonly visibleFrom: number;
  readonly subject: string;
  readonly body: string;
}

export interface State {
  nextId: number;
  carts: Cart[];
  orders: Order[];
  vps: Vps[];
  zones: ZoneState[];
  mails: Mail[];
  sshKeys: { keyName: string; key: string }[];
  paymentMethods: number[];
  checkouts: number;
}

export function emptyState(): State {
  return {
    nextId: 5_271_234_567,
    carts: [],
    orders: [],
    vps: [],
    zones: [],
    // The official provider cannot bear an empty history.
    mails: [
      { id: 1, date: new Date(0).toISOString(), visibleFrom: 0, subject: "Bienvenue", body: "Bonjour" },
    ],
    sshKeys: [],
    paymentMethods: [123_456],
    checkouts: 0,
  };
}

/** The state of a file, or a new one. */
export function readState(file: string | undefined): State {
  if (file === undefined) return emptyState();
  try {
    return JSON.parse(readFileSync(file, "utf8")) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return emptyState();
    throw error;
  }
}

/** Written whole or not at all. */
export function writeState(file: string | undefined, state: State): void {
  if (file === undefined) return;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.partial`, JSON.stringify(state));
  renameSync(`${file}.partial`, file);
}
