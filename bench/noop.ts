/** @module What a fleet costs when there is nothing to do: fleets of several sizes, all by the same real program. */
import { rm } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { startAgent } from "./agent.ts";
import { benchClients, benchFleet } from "./clients.ts";
import { ensureCertificate } from "./peers/authority.ts";
import { ensureHostKey, type Servers, startServers } from "./peers/servers.ts";
import { becomeBenchOperator, type Place } from "./place.ts";
import { type Measured, median } from "./results.ts";
import {
  configure,
  ensureStack,
  fleetKey,
  forget,
  measureVerbs,
  output,
  pulumi,
  resourceCount,
  stateBytes,
} from "./stack.ts";

export interface NoopOptions {
  readonly clients: readonly number[];
  readonly runs: number;
  /** Make the stacks anew, so that their first `up` is measured too. */
  readonly fresh: boolean;
  readonly report: (line: string) => void;
}

export async function benchNoop(place: Place, options: NoopOptions): Promise<Measured[]> {
  await becomeBenchOperator(place);
  const all = benchClients(Math.max(...options.clients));
  await ensureCertificate(
    place.tls,
    benchClients(1000).map(({ domain }) => domain),
  );
  const hostKey = await ensureHostKey(place.folder);
  await ensureStack(place, "master");
  await configure(place, "master", { role: "master", protect: false });
  await pulumi(place, "master", "up --skip-preview");
  const agent = await startAgent(await fleetKey(place));
  const servers = await startServers(place.folder, all, await output(place, "master", "publicKey"));
  const ssh = { suite: place.suite, user: userInfo().username, hostKey };
  try {
    const measured: Measured[] = [];
    for (const count of options.clients)
      measured.push(await fleet(place, servers, options, count, benchFleet(all.slice(0, count), ssh)));
    return measured;
  } finally {
    servers.close();
    agent.kill();
  }
}

async function fleet(
  place: Place,
  servers: Servers,
  { runs, fresh, report }: NoopOptions,
  clients: number,
  config: Readonly<Record<string, unknown>>,
): Promise<Measured> {
  const stack = `bench-${clients}`;
  if (fresh) {
    await forget(place, stack);
    await servers.empty();
    // The budget for certificates of a new operator.
    await rm(join(place.folder, "acme-ledger.json"), { force: true });
  }
  const isNew = await ensureStack(place, stack);
  await configure(place, stack, config);
  const before = servers.connections();
  const first = await pulumi(place, stack, "up --skip-preview");
  report(`${clients} clients: ${isNew ? "first" : "catching"} up ${first.seconds.toFixed(1)} s`);
  const firstConnections = servers.connections() - before;
  return {
    clients,
    resources: await resourceCount(place, stack),
    stateBytes: await stateBytes(place, stack),
    first: isNew ? { ...median([first]), connections: firstConnections } : undefined,
    verbs: await measureVerbs(
      place,
      stack,
      runs,
      (line) => report(`${clients} clients: ${line}`),
      servers.connections,
    ),
  };
}
