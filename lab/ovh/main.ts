/** @module The lab's OVH: a process of its own, which keeps its state and takes orders of tests on a door beside the API. */
import { createServer } from "node:http";
import { ZONE } from "../layout.ts";
import { startEmulator } from "./emulator.ts";
import type { Fault } from "./faults.ts";
import { labHooks } from "./hooks.ts";
import { ADMIN_PORT, HOST, PORT, STATE_FILE } from "./place.ts";
import type { NewVps } from "./vps.ts";

const emulator = await startEmulator({ host: HOST, port: PORT, stateFile: STATE_FILE, hooks: labHooks });
emulator.addZone(ZONE);

/** `METHOD /path` → what it does with the parsed body. */
const doors: Readonly<Record<string, (body: never) => unknown>> = {
  "GET /state": () => emulator.state,
  "GET /audit": () => emulator.audit,
  "POST /faults": (fault: Fault) => emulator.faults.add(fault),
  "DELETE /faults": () => emulator.faults.clear(),
  "POST /orders/release": () => emulator.releaseOrders(),
  "POST /vps": (vps: NewVps) => emulator.addVps(vps),
};

const admin = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    const door = doors[`${request.method} ${request.url}`];
    if (!door) throw new Error(`There is no door ${request.method} ${request.url}.`);
    const answer = door(JSON.parse(Buffer.concat(chunks).toString() || "null") as never);
    response.end(JSON.stringify(answer ?? null));
  } catch (error) {
    response.writeHead(400).end(JSON.stringify(String(error)));
  }
});
admin.listen(ADMIN_PORT, HOST);

// A delivery goes on when nobody asks for it.
const timer = setInterval(() => emulator.tick().catch(console.error), 500);

process.once("SIGTERM", async () => {
  clearInterval(timer);
  admin.close();
  admin.closeAllConnections();
  await emulator.close();
  process.exit();
});
