/**
 * @module As much of OVH's API as plugin ovh asks, in this process: zones with what is pending and what is published,
 * VPSes, checked signatures, and faults on demand.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface ApiRecord {
  readonly id: number;
  readonly subDomain: string;
  readonly fieldType: string;
  readonly target: string;
  readonly ttl: number;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const keys = { application: "lab-key", secret: "lab-application-secret", consumer: "lab-consumer-key" };
const ok = (body: unknown): Answer => ({ status: 200, body });
const missing = (what: string): Answer => ({
  status: 404,
  body: { class: "Client::NotFound", message: `${what} does not exist` },
});

export async function startApi(content: Content): Promise<OvhApi> {
  const api = new OvhApi(content);
  await api.listen();
  return api;
}

interface Content {
  readonly zones: readonly string[];
  readonly vps?: readonly string[];
}

export class OvhApi {
  /** No output and no file may hold these. */
  readonly secrets = [keys.secret, keys.consumer];
  readonly #vps: readonly string[];
  readonly #pending: Map<string, ApiRecord[]>;
  readonly #published = new Map<string, ApiRecord[]>();
  readonly #server: Server;
  #faults: { method: string; path: RegExp; status: number }[] = [];
  #asked: string[] = [];
  #hidesIds = false;
  #lastId = 5_271_234_567;

  constructor({ zones, vps = [] }: Content) {
    this.#vps = vps;
    this.#pending = new Map(zones.map((zone) => [zone, []]));
    this.#server = createServer(async (request, response) => {
      const { status, body } = this.#answer(request, await text(request));
      response.writeHead(status, {
        "content-type": "application/json; charset=utf-8",
        "x-ovh-queryid": `EU.ext-1.65a1b2c3.${this.#asked.length}.0a1b2c3d4e`,
      });
      response.end(JSON.stringify(body));
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Endpoint and credentials for the plugin. */
  get environment(): Record<string, string> {
    return {
      OVH_ENDPOINT: this.#endpoint,
      OVH_APPLICATION_KEY: keys.application,
      OVH_APPLICATION_SECRET: keys.secret,
      OVH_CONSUMER_KEY: keys.consumer,
    };
  }

  get #endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/1.0`;
  }

  /** Requests since the start or `forget`, as `METHOD /path`; without those about time and credentials. */
  asked(): readonly string[] {
    return this.#asked;
  }

  forget(): void {
    this.#asked = [];
  }

  records(zone: string): readonly ApiRecord[] {
    return this.#records(zone);
  }

  /** What the zone's name servers would tell. */
  published(zone: string): readonly ApiRecord[] {
    return this.#published.get(zone) ?? [];
  }

  /** From now on such a request fails without an effect. `*` in a path is any text. */
  fail(method: string, path: string, status: number): void {
    this.#faults.push({ method, path: new RegExp(`^${path.replaceAll("*", ".*")}$`), status });
  }

  /** A record that is made is told with the id 0. */
  hideIds(): void {
    this.#hidesIds = true;
  }

  heal(): void {
    this.#faults = [];
    this.#hidesIds = false;
  }

  /** As if somebody did it by hand. @returns the record's id */
  add(zone: string, record: Omit<ApiRecord, "id">): number {
    this.#lastId += 1;
    this.#pending.set(zone, [...this.#records(zone), quoted({ id: this.#lastId, ...record })]);
    return this.#lastId;
  }

  change(zone: string, id: number, change: Partial<ApiRecord>): void {
    const changed = this.#records(zone).map((each) =>
      each.id === id ? quoted({ ...each, ...change }) : each,
    );
    this.#pending.set(zone, changed);
  }

  remove(zone: string, id: number): void {
    this.#pending.set(
      zone,
      this.#records(zone).filter((each) => each.id !== id),
    );
  }

  #records(zone: string): ApiRecord[] {
    return this.#pending.get(zone) ?? [];
  }

  #answer(request: IncomingMessage, body: string): Answer {
    const { method = "", url = "" } = request;
    const path = url.replace(/^\/1\.0/, "");
    if (path === "/auth/time") return ok(Math.floor(Date.now() / 1000));
    const refused = this.#refusal(request, body);
    if (refused !== undefined) return { status: 403, body: { message: refused } };
    if (path === "/auth/details") return ok({ method: "account" });
    this.#asked.push(`${method} ${path}`);
    const fault = this.#faults.find((each) => each.method === method && each.path.test(path));
    if (fault)
      return { status: fault.status, body: { class: "Client::Fault", message: "a fault on demand" } };
    const [, zone, what, id] = /^\/domain\/zone\/([^/]+)\/(record|refresh)(?:\/(\d+))?$/.exec(path) ?? [];
    if (zone === undefined) return this.#aboutVps(path);
    if (!this.#pending.has(zone)) return missing("This service");
    if (what === "refresh") {
      this.#published.set(zone, this.#records(zone));
      return ok(null);
    }
    return id === undefined
      ? this.#aboutRecords(method, zone, body)
      : this.#aboutRecord(method, zone, Number(id), body);
  }

  #refusal({ method, url, headers }: IncomingMessage, body: string): string | undefined {
    if (headers["x-ovh-application"] !== keys.application) return "This application key is invalid";
    if (headers["x-ovh-consumer"] !== keys.consumer) return "This credential is not valid";
    const target = this.#endpoint.replace(/\/1\.0$/, "") + url;
    const parts = [keys.secret, keys.consumer, method, target, body, headers["x-ovh-timestamp"]];
    const signature = `$1$${createHash("sha1").update(parts.join("+")).digest("hex")}`;
    return headers["x-ovh-signature"] === signature ? undefined : "Invalid signature";
  }

  #aboutRecords(method: string, zone: string, body: string): Answer {
    if (method === "GET") return ok(this.#records(zone).map((each) => each.id));
    const id = this.add(zone, { subDomain: "", ttl: 0, ...JSON.parse(body) });
    const made = this.#records(zone).find((each) => each.id === id);
    return ok({ ...made, zone, ...(this.#hidesIds ? { id: 0 } : {}) });
  }

  #aboutRecord(method: string, zone: string, id: number, body: string): Answer {
    const found = this.#records(zone).find((each) => each.id === id);
    if (!found) return missing(`The requested object (id = ${id})`);
    if (method === "GET") return ok({ ...found, zone });
    if (method === "PUT") this.change(zone, id, JSON.parse(body));
    else this.remove(zone, id);
    return ok(null);
  }

  #aboutVps(path: string): Answer {
    const [, name = "", what] = /^\/vps\/([^/]+)(\/.*)?$/.exec(path) ?? [];
    if (!this.#vps.includes(name)) return missing("This service");
    if (what === "/ips") return ok(["2001:db8::1", "203.0.113.10"]);
    if (what === "/datacenter") return ok({ name: "os-gra7", longName: "Gravelines", country: "fr" });
    return ok({
      ...{ name, displayName: "web-1", state: "running", netbootMode: "local", keymap: null, cluster: "" },
      ...{ offerType: "ssd", slaMonitoring: false, vcore: 4, memoryLimit: 8192, zone: "Region: os-gra7" },
      model: { name: "vps-2025-model1", offer: "VPS-1", version: "2025v1" },
      iam: { urn: `urn:v1:eu:resource:vps:${name}` },
    });
  }
}

/** OVH puts a text in quotes that it lacks. */
function quoted(record: ApiRecord): ApiRecord {
  const lacks = record.fieldType === "TXT" && !record.target.startsWith('"');
  return lacks ? { ...record, target: `"${record.target}"` } : record;
}
