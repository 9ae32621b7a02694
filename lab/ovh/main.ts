/** @module The lab's OVH: a process of its own, which keeps its state and takes orders of tests on a door beside the API. */
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
import { labHooks } from "./hooks.ts";
import { startEmulator } from "./emulator.ts";
import type { Fault } from "./faults.ts";
import { ADMIN_PORT, HOST, PORT, STATE_FILE } from "./place.ts";
import { ZONE } from "../layout.ts";
import type { NewVps } from "./vps.ts";

const emulator = await startEmulator({ host: HOST, port: PORT, stateFile: STATE_FILE, hooks: labHooks });
emulator.addZone(ZONE);

type Handler = (body: unknown) => unknown;

const doors: Readonly<Record<string, Handler>> = {
  "GET /state": () => emulator.state,
  "GET /audit": () => emulator.audit,
  "POST /faults": (body) => emulator.faults.add(body as Fault),
  "DELETE /faults": () => emulator.faults.clear(),
  "POST /vps": (body) => emulator.addVps(body as NewVps),
  "POST /record": (body) => {
    const { fieldType, subDomain, target } = body as { fieldType: string; subDomain: string; target: string };
    const zone = emulator.state.zones.find(({ name }) => name === ZONE);
    zone?.records.push({ id: emulator.state.nextId++, fieldType, subDomain, target, ttl: 0 });
  },
};

createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    const handle = doors[`${request.method} ${request.url}`];
    if (!handle) throw new Error(`no such door: ${request.method} ${request.url}`);
    const answer = handle(JSON.parse(Buffer.concat(chunks).toString() || "null"));
    response.end(JSON.stringify(answer ?? null));
  } catch (error) {
    response.writeHead(400).end(JSON.stringify(String(error)));
  }
}).listen(ADMIN_PORT, HOST);

process.on("unhandledRejection", (error) => {
  appendFileSync(2, `${String(error)}\n`);
});
