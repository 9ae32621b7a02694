/** Answers of a DNS server on loopback. Not proven: the machine's own resolver, DNSSEC, answers over TCP. */
import { createSocket, type Socket } from "node:dgram";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resolveDomain } from "./dns.ts";

let socket: Socket;
let server: string;

const addresses: Readonly<Record<string, { a?: number[][]; aaaa?: number[][]; code?: number }>> = {
  "ville.fr": {
    a: [
      [10, 0, 0, 1],
      [10, 0, 0, 2],
    ],
  },
  "six.fr": { aaaa: [[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]] },
  "nothing.fr": {},
  "nobody.fr": { code: 3 },
  "broken.fr": { code: 2 },
  "refused.fr": { code: 5 },
};

/** Header, the question as it came, and one record an address. */
function answer(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("ascii", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = query.readUInt16BE(at + 1);
  const { a = [], aaaa = [], code = 0 } = addresses[labels.join(".").toLowerCase()] ?? { code: 3 };
  const data = type === 1 ? a : type === 28 ? aaaa : [];
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(data.length, 6);
  header.writeUInt16BE(0, 8);
  header.writeUInt16BE(0, 10);
  const records = data.map((bytes) =>
    Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length, ...bytes]),
  );
  return Buffer.concat([header, query.subarray(12, at + 5), ...records]);
}

beforeAll(async () => {
  socket = createSocket("udp4");
  socket.on("message", (query, from) => socket.send(answer(query), from.port, from.address));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  server = `127.0.0.1:${socket.address().port}`;
});

afterAll(() => {
  socket.close();
});

test.each([
  ["ville.fr", { a: ["10.0.0.1", "10.0.0.2"], aaaa: [] }],
  ["six.fr", { a: [], aaaa: ["2001:db8::1"] }],
  ["nothing.fr", { a: [], aaaa: [] }],
  ["nobody.fr", { a: [], aaaa: [] }],
])("%s is %j", async (domain, expected) => {
  const { a, aaaa } = await resolveDomain(domain, [server]);
  expect({ a: [...a].sort(), aaaa }).toEqual(expected);
});

test.each([
  ["broken.fr", "ESERVFAIL"],
  ["refused.fr", "EREFUSED"],
])("fails on %s, which is no answer: %s", async (domain, code) => {
  await expect(resolveDomain(domain, [server])).rejects.toThrow(code);
});

test("fails where no server is", async () => {
  const closed = createSocket("udp4");
  await new Promise<void>((resolve) => closed.bind(0, "127.0.0.1", resolve));
  const { port } = closed.address();
  closed.close();
  await expect(resolveDomain("ville.fr", [`127.0.0.1:${port}`])).rejects.toThrow("ECONNREFUSED");
});
