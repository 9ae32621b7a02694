/** @module What the emulated OVH knows: plain data, kept in one file. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
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

export interface OrderLine {
  readonly detailId: number;
  readonly planCode: string;
  readonly isOption: boolean;
  /** Euros without tax. */
  readonly price: number;
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
  readonly lines: readonly OrderLine[];
  paid: number | null;
  delivered: number | null;
  /** Chosen when the delivery begins, told when it has ended. */
  serviceName: string | null;
  /** A status that stays, whatever time does. */
  stuck: "delivering" | "documentsRequested" | "cancelled" | null;
}

/** What a task does, besides taking time. */
export type Work =
  | { readonly kind: "none" }
  | { readonly kind: "rebuild"; readonly os: string; readonly publicSshKey: string | null }
  | { readonly kind: "power"; readonly action: "reboot" | "start" | "stop" }
  | { readonly kind: "netboot"; readonly mode: "local" | "rescue" };

export interface Task {
  readonly id: number;
  readonly type: "deliverVm" | "reinstallVm" | "rebootVm" | "startVm" | "stopVm" | "setNetboot";
  readonly created: number;
  /** It is `todo` before. */
  readonly begins: number;
  /** It is not done before. */
  readonly until: number;
  /** Not listed before. */
  readonly listedFrom: number;
  readonly work: Work;
  /** Of the work in the lab. */
  result: "pending" | "done" | "failed";
  isFinished: boolean;
}

export interface Vps {
  readonly serviceName: string;
  readonly model: string;
  readonly datacenter: string;
  readonly serviceId: number;
  readonly created: number;
  displayName: string;
  ips: string[];
  state: "running" | "stopped" | "rescued";
  netbootMode: "local" | "rescue";
  keymap: string | null;
  slaMonitoring: boolean;
  image: string;
  tasks: Task[];
  terminationToken: string | null;
  isTerminated: boolean;
  /** Its machine is gone too. */
  isRemoved: boolean;
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
  /** Orders made, ever: what costs money. */
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

export interface Store {
  readonly state: State;
  save(): void;
}

/** The state of a file, or a new one; without a file, in memory. */
export function openStore(file: string | undefined): Store {
  if (file === undefined) return { state: emptyState(), save: () => {} };
  mkdirSync(dirname(file), { recursive: true });
  let written = readText(file);
  const state: State = { ...emptyState(), ...(written === undefined ? {} : (JSON.parse(written) as State)) };
  return {
    state,
    // Written whole or not at all.
    save() {
      const text = JSON.stringify(state);
      if (text === written) return;
      writeFileSync(`${file}.partial`, text);
      renameSync(`${file}.partial`, file);
      written = text;
    },
  };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
