/** @module The emulator's HTTP side: one request at a time, checked, recorded, answered, or spoilt by a fault. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { ApiError, badRequest, findRoute, queryId, type Route, unknownUrl } from "./api.ts";
import { authorize, type Credentials } from "./credentials.ts";
import { answerOf, type FaultKind, type Faults } from "./faults.ts";
import type { Report } from "./world.ts";

export interface Audited {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly method: string;
  /** Below the base, with its query. */
  readonly path: string;
  readonly body: string;
  /** 0 for no answer. */
  readonly status: number;
  readonly queryId: string;
  readonly userAgent: string;
}

export interface ServeArgs {
  readonly host: string;
  readonly port: number;
  /** First part of every path. */
  readonly base: string;
  /** Base of the addresses that clients sign. @default where it listens */
  readonly publicUrl?: string;
  readonly routes: readonly Route[];
  readonly credentials: Credentials;
  readonly faults: Faults;
  /** Gets every request. */
  readonly audit: Audited[];
  readonly report: Report;
  /** Milliseconds since 1970. */
  now(): number;
  /** Before and after every request. Saves what has changed. */
  tick(): Promise<void>;
}

const auditLength = 5000;

export async function serve(args: ServeArgs): Promise<Server> {
  // One request at a time: what it does, it does whole.
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => {
    receive(request).then(
      (body) => {
        last = last
          .then(() => answer(args, signedUrl(request), request, response, body))
          .catch((error: unknown) => {
            args.report(`${request.method} ${request.url}`, error);
            response.destroy();
          });
      },
      // A client that went away is no trouble of ours.
      () => response.destroy(),
    );
  });
  const signedUrl = (request: IncomingMessage) => {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : "";
    const publicUrl = args.publicUrl ?? `http://${args.host}:${port}${args.base}`;
    return publicUrl + (request.url ?? "").slice(args.base.length);
  };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(args.port, args.host, resolve);
  });
  return server;
}

async function answer(
  args: ServeArgs,
  signedUrl: string,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): Promise<void> {
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://localhost");
  const path = url.pathname.startsWith(`${args.base}/`) ? url.pathname.slice(args.base.length) : "";
  const fault = args.faults.take(method, path, args.now());
  const id = queryId();
  const note = (status: number) => {
    if (args.audit.length >= auditLength) args.audit.splice(0, auditLength / 2);
    const userAgent = request.headers["user-agent"] ?? "";
    args.audit.push({
      ...{ time: args.now(), method, path: path + url.search, body: body.toString() },
      ...{ status, queryId: id, userAgent },
    });
  };
  if (fault?.kind === "hang") return note(0);
  if (fault?.kind === "dropBefore") {
    note(0);
    response.destroy();
    return;
  }
  await args.tick();
  const { status, value } = await perform(args, { method, path, query: url.searchParams, fault }).then(
    (done) => ({ status: 200, value: done }),
    (error: unknown) => problem(error, (unknown) => args.report(`${method} ${path}`, unknown)),
  );
  await args.tick();
  const isLost = fault?.kind === "dropAfterEffect";
  note(isLost ? 0 : status);
  if (isLost) {
    response.destroy();
    return;
  }
  const shown = fault?.kind === "idZero" && status === 200 ? { ...(value as object), id: 0 } : value;
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "x-ovh-queryid": id });
  response.end(JSON.stringify(shown ?? null));

  async function perform(
    { routes, credentials, now }: ServeArgs,
    call: { method: string; path: string; query: URLSearchParams; fault: FaultKind | undefined },
  ): Promise<unknown> {
    const trouble = answerOf(fault);
    if (trouble) throw trouble;
    const found = findRoute(routes, method, path);
    if (!found) throw unknownUrl();
    const { route, part } = found;
    if (!route.isPublic)
      authorize(credentials, { method, url: signedUrl, path, body, headers: request.headers }, now() / 1000);
    return route.handle({ ...call, part, body: method === "GET" ? {} : parsed(body) });
  }
}

function problem(error: unknown, report: (error: unknown) => void): { status: number; value: unknown } {
  if (error instanceof ApiError) return { status: error.status, value: error.body };
  report(error);
  return { status: 500, value: { class: "Server::InternalServerError", message: "Internal server error" } };
}

/** @throws ApiError for what is no JSON object */
function parsed(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString());
    if (value === null) return {};
    if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw badRequest("Invalid JSON received");
}

async function receive(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
