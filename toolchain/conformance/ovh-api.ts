/** @module OVH's API in this process, as the suites of this folder look at it: requests, records, hands and faults. */
// biome-ignore lint/style/noRestrictedImports: only the suites of this folder use this file.
import { startEmulator } from "../../lab/ovh/emulator.ts";

type Emulator = Awaited<ReturnType<typeof startEmulator>>;
type FaultKind = Parameters<Emulator["faults"]["add"]>[0]["fault"];
type ZoneRecordState = Emulator["state"]["zones"][number]["records"][number];

const credentials = {
  applicationKey: "conformance",
  applicationSecret: "application-secret-that-stays-unseen",
  consumerKey: "consumer-key-that-stays-unseen",
  rules: ["GET", "POST", "PUT", "DELETE"].map((method) => ({ method, path: "/*" })),
};

interface Content {
  readonly zones: readonly string[];
  /** Names of services that are owned. */
  readonly vps?: readonly string[];
}

export async function startApi({ zones, vps = [] }: Content): Promise<OvhApi> {
  const emulator = await startEmulator({ credentials });
  for (const zone of zones) emulator.addZone(zone);
  for (const serviceName of vps)
    emulator.addVps({
      ...{ serviceName, model: "vps-2025-model1", datacenter: "GRA", os: "Debian 12" },
      ips: ["2001:db8::1", "203.0.113.10"],
    });
  return new OvhApi(emulator);
}

export class OvhApi {
  /** No output and no file may hold these. */
  readonly secrets = [credentials.applicationSecret, credentials.consumerKey];
  readonly #emulator: Emulator;
  #forgotten = 0;

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  /** Endpoint and credentials for the plugin. */
  get environment(): Record<string, string> {
    return {
      OVH_ENDPOINT: this.#emulator.url,
      OVH_APPLICATION_KEY: credentials.applicationKey,
      OVH_APPLICATION_SECRET: credentials.applicationSecret,
      OVH_CONSUMER_KEY: credentials.consumerKey,
    };
  }

  /** Requests since the start or `forget`, as `METHOD /path`; without those about time and credentials. */
  asked(): string[] {
    return this.#emulator.audit
      .slice(this.#forgotten)
      .map(({ method, path }) => `${method} ${path}`)
      .filter((line) => !line.includes(" /auth/"));
  }

  forget(): void {
    this.#forgotten = this.#emulator.audit.length;
  }

  /** From now on such requests have this fault. `*` in a path is any part of it. */
  fail(method: string, path: string, fault: FaultKind): void {
    this.#emulator.faults.add({ method, path, fault });
  }

  heal(): void {
    this.#emulator.faults.clear();
  }

  records(zone: string): ZoneRecordState[] {
    return structuredClone(this.#zone(zone).records);
  }

  /** What the zone's name servers would tell. */
  published(zone: string): ZoneRecordState[] {
    return structuredClone(this.#zone(zone).published);
  }

  /** As if somebody did it by hand. */
  add(zone: string, record: ZoneRecordState): void {
    this.#zone(zone).records.push(record);
  }

  change(zone: string, id: number, change: Partial<ZoneRecordState>): void {
    Object.assign(this.#zone(zone).records.find((record) => record.id === id) ?? {}, change);
  }

  remove(zone: string, id: number): void {
    const { records } = this.#zone(zone);
    records.splice(0, records.length, ...records.filter((record) => record.id !== id));
  }

  close(): Promise<void> {
    return this.#emulator.close();
  }

  #zone(name: string) {
    const zone = this.#emulator.state.zones.find((each) => each.name === name);
    if (!zone) throw new Error(`no zone ${name}`);
    return zone;
  }
}
