/** The ports that were files are the same over the store. Not proven here: PostgreSQL (test/peers/store.test.ts). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { type Fulfilled, portsConform } from "../../../test/helpers/store/ports.ts";
import { storedPorts } from "../../../test/helpers/store/stored-ports.ts";
import { acmeLedger } from "../../acme-ledger.ts";
import { operationJournals } from "../../operation-journals.ts";
import { operationQueue } from "../../operation-queue.ts";
import { orderedClients, orderJournal } from "../../ovh/order-journal.ts";
import { retirementJournal } from "../../retirement-journal.ts";
import { refreshZone } from "../../zone-refresh.ts";

async function ground() {
  const state = await mkdtemp(join(tmpdir(), "geoclic-ports-"));
  return { place: { state }, end: () => rm(state, { recursive: true, force: true }) };
}

async function filedPorts(): Promise<Fulfilled> {
  const { place, end } = await ground();
  const { state } = place;
  return {
    journals: (stack, retention) => operationJournals(state, stack, retention),
    queue: (stack) => operationQueue(state, stack),
    ledger: acmeLedger(state),
    orders: (client) => orderJournal(state, client),
    orderedClients: () => orderedClients(state),
    retirements: (client) => retirementJournal(state, client),
    refreshZone: (zone, since, refresh) => refreshZone(state, zone, since, refresh),
    end,
  };
}

describe("in files", () => portsConform(filedPorts));
describe("in the store", () => portsConform(async () => storedPorts(await ground())));
