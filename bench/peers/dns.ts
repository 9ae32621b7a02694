/** @module A DNS server that knows the A record of each client and nothing else. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

/** @returns the server, listening on UDP port 53 of the address */
export async function startDns(address: string, records: ReadonlyMap<string, string>): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address: asker }) => {
    socket.send(answer(query, records), port, asker);
  });
  socket.bind(53, address);
  await once(socket, "listening");
  return socket;
}

/** RFC 1035, section 4: one question; an A record where there is one, else an empty answer. */
function answer(query: Buffer, records: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = [];
  let end = 12;
  for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
    labels.push(query.toString("latin1", end + 1, end + 1 + length).toLowerCase());
    end += 1 + length;
  }
  const question = query.subarray(12, end + 5);
  const isA = query.readUInt16BE(end + 1) === 1;
  const ip = isA ? records.get(labels.join(".")) : undefined;
  const header = Buffer.from([0, 0, 0x84, 0, 0, 1, 0, ip === undefined ? 0 : 1, 0, 0, 0, 0]);
  query.copy(header, 0, 0, 2);
  if (ip === undefined) return Buffer.concat([header, question]);
  // Name by a pointer to the question, A, IN, 60 s, 4 bytes.
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...ip.split(".").map(Number)];
  return Buffer.concat([header, question, Buffer.from(record)]);
}
