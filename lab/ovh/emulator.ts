/**
 * @module OVH's API as far as the fleet uses it, on loopback. `startEmulator` gives a server for tests; `main.ts` is the
 * lab's own, whose hooks make real servers and records.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { accountRoutes } from "./account.ts";
import { ApiError, match, queryId, type Route, unknownUrl } from "./api.ts";
import { authorize, type Credentials, labCredentials } from "./credentials.ts";
import { type Fault, type FaultKind, Faults } from "./faults.ts";
import { orderRoutes } from "./orders.ts";
import { readState, type State, type Vps, writeState } from "./state.ts";
import { type NewVps, newVps, vpsRoutes } from "./vps.ts";
import { type Clock, type Hooks, labClock, noHooks, type World } from "./world.ts";
import { newZone, zoneRoutes } from "./zones.ts";

export interface EmulatorOptions {
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** @default any free one */
  readonly port?: number;
  /** File that keeps the state over restarts. */
  readonly stateFile?: string;
  readonly hooks?: Hooks;
  readonly clock?: Clock;
  readonly credentials?: Credentials;
  /** Milliseconds since 1970. @default the machine's clock */
  readonly now?: () => number;
  /** Requests in any second beyond which 429 is answered. @default none */
  readonly requestsPerSecond?: number;
}

export interface Audited {
  readonly time: number;
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly status: number;
  readonly queryId: string;
  readonly userAgent: string;
}

export interface Emulator {
  /** Base of every route, e.g. `http://127.0.0.1:8060/1.0`. */
  readonly url: string;
  readonly state: State;
  readonly audit: readonly Audited[];
  readonly faults: { add(fault: Fault): void; clear(): void };
  addZone(name: string): void;
  /** A VPS that is owned and delivered already. */
  addVps(vps: Omit<NewVps, "isOld">): Vps;
  close(): Promise<void>;
}

const base = "/1.0";
const auditLength = 5000;

export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { host = "127.0.0.1", port = 0, stateFile, credentials = labCredentials, now = Date.now } = options;
  const state = readState(stateFile);
  const world: World = {
    state,
    clock: options.clock ?? labClock,
    hooks: options.hooks ?? noHooks(),
    now,
    newId: () => state.nextId++,
  };
  const routes = [
    ...accountRoutes(world, credentials),
    ...orderRoutes(world),
    ...vpsRoutes(world),
    ...zoneRoutes(world),
  ];
  const faults = new Faults();
  const audit: Audited[] = [];
  let recent: number[] = [];
  // One effect at a time: what a request does, it does whole.
  let before: Promise<unknown> = Promise.resolve();

  const server = createServer((request, response) => {
    void receive(request).then((body) => {
      before = before
        .then(() => answer(request, response, body))
        .catch((error: unknown) => {
          console.error(error);
          response.destroy();
        });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, host, resolve);
  });
  const origin = `http://${host}:${(server.address() as AddressInfo).port}`;

  return {
    url: origin + base,
    state,
    audit,
    faults,
    addZone(name) {
      if (!state.zones.some((zone) => zone.name === name)) state.zones.push(newZone(name, now()));
      writeState(stateFile, state);
    },
    addVps(vps) {
      const added = newVps(world, { ...vps, isOld: true });
      state.vps.push(added);
      writeState(stateFile, state);
      return added;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): Promise<void> {
    const method = request.method ?? "GET";
    const url = new URL(request.url ?? "/", origin);
    const path = url.pathname.startsWith(`${base}/`) ? url.pathname.slice(base.length) : "";
    const fault = faults.take(method, path);
    const id = queryId();
    const note = (status: number) => {
      audit.push({
        time: now(),
        method,
        path: path + url.search,
        body: body.toString(),
        status,
        queryId: id,
        userAgent: request.headers["user-agent"] ?? "",
      });
      if (audit.length > auditLength) audit.splice(0, auditLength / 2);
    };
    if (fault?.kind === "hang") return note(0);
    if (fault?.kind === "dropBefore") {
      note(0);
      response.destroy();
      return;
    }
    const { status, value } = await perform(fault).then(
      (done) => ({ status: 200, value: done }),
      (error: unknown) => problem(error),
    );
    writeState(stateFile, state);
    note(fault?.kind === "dropAfterEffect" ? 0 : status);
    if (fault?.kind === "dropAfterEffect") {
      response.destroy();
      return;
    }
    const shown = fault?.kind === "idZero" && status === 200 ? { ...(value as object), id: 0 } : value;
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", "x-ovh-queryid": id });
    response.end(JSON.stringify(shown ?? null));

    async function perform(planned: FaultKind | undefined): Promise<unknown> {
      limit();
      if (planned?.kind === "status") throw faulty(planned);
      const found = find(routes, method, path);
      if (!found) throw unknownUrl();
      if (!found.route.isPublic || request.headers["x-ovh-signature"] !== undefined)
        authorize(
          credentials,
          { method, url: origin + request.url, path, body, headers: request.headers },
          now() / 1000,
        );
      const { route, part } = found;
      return route.handle({ method, path, query: url.searchParams, part, body: parsed(body) });
    }
  }

  function limit(): void {
    const { requestsPerSecond } = options;
    if (requestsPerSecond === undefined) return;
    recent = recent.filter((time) => time > now() - 1000);
    if (recent.length >= requestsPerSecond) throw faulty({ kind: "status", status: 429 });
    recent.push(now());
  }
}

function find(routes: readonly Route[], method: string, path: string) {
  for (const route of routes) {
    const part = route.method === method ? match(route.pattern, path) : undefined;
    if (part) return { route, part };
  }
  return undefined;
}

function faulty({ status, message }: Extract<FaultKind, { kind: "status" }>): ApiError {
  const known = {
    400: ["Client::BadRequest", "Bad request"],
    403: ["Client::Forbidden", "You are not allowed to call this route"],
    408: ["Client::RequestTimeout", "Request timeout"],
    429: ["Client::TooManyRequests", "Too many requests"],
    500: ["Server::InternalServerError", "Internal server error"],
    502: ["Server::BadGateway", "Bad gateway"],
    503: ["Server::ServiceUnavailable", "Service unavailable"],
  } as const;
  const [name, text] = known[status];
  return new ApiError(status, { class: name, message: message ?? text });
}

function problem(error: unknown): { status: number; value: unknown } {
  if (error instanceof ApiError) return { status: error.status, value: error.body };
  console.error(error);
  return { status: 500, value: { class: "Server::InternalServerError", message: "Internal server error" } };
}

function parsed(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString() || "{}");
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

async function receive(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
