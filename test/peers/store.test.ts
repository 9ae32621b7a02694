/** The store in a real PostgreSQL: what every store promises. Not proven: replicas, poolers between us and the server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type PostgresServer, startPostgres } from "../helpers/postgres.ts";
import { storeConforms } from "../helpers/store/conformance.ts";
import { portsConform } from "../helpers/store/ports.ts";
import { storedPorts } from "../helpers/store/stored-ports.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

async function ground() {
  const state = await mkdtemp(join(tmpdir(), "geoclic-store-"));
  const url = await server.database();
  return { place: { state, url }, end: () => rm(state, { recursive: true, force: true }) };
}

storeConforms(ground);
portsConform(async () => storedPorts(await ground()));
