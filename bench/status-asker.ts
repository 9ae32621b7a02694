/** @module Asks as many imitated servers as it is told for their state, in a process that can be measured. Words: COUNT USER HOSTKEY. */

import type { Release } from "../core/release/release.ts";
import { get } from "../outside/http.ts";
import { openSsh } from "../outside/ssh.ts";
// biome-ignore lint/style/noRestrictedImports: the operation itself is what is measured
import { readStatus } from "../verbs/read-status.ts";
import { benchClients } from "./clients.ts";

const [count = "1", user = "", hostKey = ""] = process.argv.slice(2);
const release = {
  id: "bbbbbbbbbbbb",
  adapter: { health: { path: "/api/health", field: "status", equals: "healthy" } },
} as unknown as Release;
const clients = benchClients(Number(count)).map(({ name, domain, ip, reach }) => ({
  target: { client: name, host: reach, port: 22, user, hostKey },
  domain,
  ip,
  release,
}));
const rows = await readStatus({ openSsh, get }, clients, 60);
const bad = rows.filter(({ health, ssh_ok }) => health !== "healthy" || !ssh_ok);
if (bad.length > 0) throw new Error(`${bad.length} of ${rows.length}: ${JSON.stringify(bad[0])}`);
