/**
 * @module OVH's API as far as the fleet uses it, on loopback. `startEmulator` gives a server for tests; `main.ts` is the
 * lab's own, whose hooks make real servers and records.
 *
 *     const emulator = await startEmulator({ clock: quickClock });   // or { now: () => time } to move the clock by hand
 *     emulator.addZone("geoclic.test");
 *     emulator.addVps({ serviceName: "vps-0a1b2c3d.vps.ovh.net", model: "vps-2025-model1", … });   // owned, delivered
 *     emulator.faults.add({ method: "POST", path: "/order/**", fault: { kind: "dropAfterEffect" }, times: 1 });
 *     … requests signed with `labCredentials` to `${emulator.url}/me` …
 *     emulator.checkouts(); emulator.audit; emulator.state;
 *     await emulator.close();
 *
 * Time passes when a request comes, or by `tick`.
 */
import type { AddressInfo } from "node:net";
import { accountRoutes } from "./account.ts";
import { cartRoutes } from "./carts.ts";
import { type Credentials, labCredentials } from "./credentials.ts";
import { type Fault, Faults } from "./faults.ts";
import { advanceOrders, orderRoutes, releaseOrders } from "./orders.ts";
import { type Audited, serve } from "./server.ts";
import { openStore, type State, type Vps } from "./state.ts";
import { advanceVps, type NewVps, newVps, vpsRoutes } from "./vps.ts";
import {
  type Clock,
  type Hooks,
  Jobs,
  labClock,
  noHooks,
  type Report,
  type Rules,
  usualRules,
  type World,
} from "./world.ts";
import { newZone, zoneRoutes } from "./zones.ts";

export type { Audited } from "./server.ts";

export interface EmulatorOptions {
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default any free one */
  readonly port?: number;
  /** Base of the addresses that clients sign. @default where it listens */
  readonly publicUrl?: string;
  /** File that keeps the state over restarts. @default in memory */
  readonly stateFile?: string;
  /** @default every VPS gets addresses of its own, and nothing happens */
  readonly hooks?: Hooks;
  /** Over `labClock`. */
  readonly clock?: Partial<Clock>;
  /** @default labCredentials */
  readonly credentials?: Credentials;
  /** Milliseconds since 1970. @default the machine's clock */
  readonly now?: () => number;
  /** Requests in any second beyond which 429 is answered. @default none */
  readonly requestsPerSecond?: number;
  /** Over `usualRules`. */
  readonly rules?: Partial<Rules>;
  /** Where the failures of hooks go. @default console.error */
  readonly report?: Report;
}

export interface Emulator {
  /** Base of every route, e.g. `http://127.0.0.1:8060/1.0`. */
  readonly url: string;
  readonly state: State;
  readonly audit: readonly Audited[];
  readonly faults: { add(fault: Fault): void; clear(): void };
  /** How many orders were made, ever. */
  checkouts(): number;
  /** Nothing when it is there. */
  addZone(name: string): void;
  /** A VPS that is owned and delivered already; one of that name gets these addresses. */
  addVps(vps: NewVps): Vps;
  /** Orders that a fault holds go on. */
  releaseOrders(): void;
  /** Does what is due. Requests do it too. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

const base = "/1.0";

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { host = "127.0.0.1", port = 0, credentials = labCredentials, now = Date.now } = options;
  const { state, save } = openStore(options.stateFile);
  const report = options.report ?? console.error;
  const jobs = new Jobs(now, report);
  const world: World = {
    state,
    clock: { ...labClock, ...options.clock },
    hooks: options.hooks ?? noHooks(),
    rules: { ...usualRules, ...options.rules },
    jobs,
    report,
    now,
    newId: () => state.nextId++,
  };
  const faults = new Faults();
  if (options.requestsPerSecond !== undefined) {
    const fault = { kind: "rateLimit", perSecond: options.requestsPerSecond } as const;
    faults.add({ method: "*", path: "**", fault });
  }
  const audit: Audited[] = [];
  const tick = async () => {
    advanceOrders(world);
    advanceVps(world);
    await jobs.settle();
    advanceVps(world);
    save();
  };
  const server = await serve({
    ...{ host, port, base, credentials, faults, audit, report, now, tick },
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    routes: [
      ...accountRoutes(world, credentials),
      ...cartRoutes(world),
      ...orderRoutes(world),
      ...vpsRoutes(world),
      ...zoneRoutes(world),
    ],
  });

  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}${base}`,
    ...{ state, audit, faults, tick },
    checkouts: () => state.checkouts,
    releaseOrders: () => releaseOrders(world),
    addZone(name) {
      if (!state.zones.some((zone) => zone.name === name)) state.zones.push(newZone(name, now()));
      save();
    },
    addVps(vps) {
      const known = state.vps.find(
        ({ serviceName, isTerminated }) => serviceName === vps.serviceName && !isTerminated,
      );
      if (known) known.ips = [...vps.ips];
      const owned = known ?? newVps(world, vps);
      state.vps = [...state.vps.filter(({ serviceName }) => serviceName !== vps.serviceName), owned];
      save();
      return owned;
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
      await jobs.end();
      save();
    },
  };
}
