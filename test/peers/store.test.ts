/** The store in a real PostgreSQL: what every store promises. Not proven: replicas, poolers between us and the server. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type PostgresServer, startPostgres } from "../helpers/postgres.ts";
import { storeConforms } from "../helpers/store/conformance.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

storeConforms(async () => {
  const state = await mkdtemp(join(tmpdir(), "geoclic-store-"));
  const url = await server.database();
  return { place: { state, url }, end: () => rm(state, { recursive: true, force: true }) };
});
