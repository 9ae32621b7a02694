/**
 * HTTP and HTTPS to a given address, on the real ports 80 and 443 of a loopback address of its own.
 * Not proven here: certificates that are out of date or revoked, redirects (which are not followed).
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server as HttpServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createSilentServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { get } from "../../outside/http.ts";
import type { HttpRequest } from "../../core/ports.ts";

const host = "127.83.80.43";
const domain = "ville.geoclic.test";
const open: Server[] = [];
const sockets = new Set<Socket>();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-http-"));
  const words =
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=${domain}`.split(" ");
  const files = [
    "-addext",
    `subjectAltName=DNS:${domain}`,
    "-keyout",
    join(folder, "key"),
    "-out",
    join(folder, "cert"),
  ];
  await execa("openssl", [...words, ...files]);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await Promise.all(open.splice(0).map((server) => new Promise((done) => server.close(done))));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function listen(server: Server | HttpServer, port: number): Promise<void> {
  open.push(server as Server);
  server.on("connection", (socket: Socket) => sockets.add(socket));
  await new Promise<void>((done, fail) => server.once("error", fail).listen(port, host, done));
}

async function secure(listener: RequestListener): Promise<void> {
  const [key, cert] = await Promise.all(["key", "cert"].map((name) => readFile(join(folder, name))));
  await listen(createSecureServer({ key, cert }, listener), 443);
}

const ask = (change: Partial<HttpRequest> = {}) =>
  get({ protocol: "http", host, domain, path: "/x?y=1", timeoutSeconds: 5, ...change });

test("asks the address, for the name and the path", async () => {
  await listen(
    createServer((request, response) => {
      response.writeHead(418).end(JSON.stringify([request.method, request.headers.host, request.url]));
    }),
    80,
  );
  expect(await ask()).toEqual({ status: 418, body: `["GET","${domain}","/x?y=1"]` });
});

test("does not follow where it is sent", async () => {
  await listen(
    createServer((_, response) => void response.writeHead(301, { location: "http://10.0.0.1/" }).end()),
    80,
  );
  expect(await ask()).toEqual({ status: 301, body: "" });
});

test("refuses a certificate that nobody vouches for, and sends no request", async () => {
  let asked = 0;
  await secure((_, response) => {
    asked += 1;
    response.end("{}");
  });
  await expect(ask({ protocol: "https" })).rejects.toThrow("self-signed certificate");
  expect(asked).toBe(0);
});

test.each([
  ["its own name", domain, '{"status":200,"body":"ok"}'],
  ["another name", "other.geoclic.test", "does not match certificate's altnames"],
])("with its authority trusted, a certificate is judged by %s", async (_, name, expected) => {
  await secure((_request, response) => void response.end("ok"));
  const module = resolve(import.meta.dirname, "../../outside/http.ts");
  const options = JSON.stringify({ protocol: "https", host, domain: name, path: "/" });
  const script = `import { get } from ${JSON.stringify(module)};
    console.log(await get(${options}).then(JSON.stringify, (error) => error.message));`;
  const env = { NODE_EXTRA_CA_CERTS: join(folder, "cert") };
  const { stdout } = await execa(process.execPath, ["--input-type=module", "-e", script], { env });
  expect(stdout).toContain(expected);
});

test("fails where nobody listens", async () => {
  await expect(ask()).rejects.toThrow("ECONNREFUSED");
});

test("fails on a server that says nothing, within its time", async () => {
  await listen(createSilentServer(), 80);
  await expect(ask({ timeoutSeconds: 1 })).rejects.toThrow("no answer within 1 s");
});

test("fails on an answer that never ends, within its time", async () => {
  await listen(
    createServer((_, response) => void response.write("begun")),
    80,
  );
  await expect(ask({ timeoutSeconds: 1 })).rejects.toThrow("no answer within 1 s");
});

test("fails on an answer that is cut", async () => {
  await listen(
    createServer((_, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("begun", () => response.destroy());
    }),
    80,
  );
  await expect(ask()).rejects.toThrow("aborted");
});

test("fails on an answer without measure", async () => {
  await listen(
    createServer((_, response) => void response.end("x".repeat(300 * 1024))),
    80,
  );
  await expect(ask()).rejects.toThrow("answer larger than 262144 bytes");
});
