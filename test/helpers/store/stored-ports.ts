/** @module The ports of the time before the store, fulfilled by one. */
import { join } from "node:path";
import {
  storedOrderedClients,
  storedOrderJournal,
  storedRetirementJournal,
} from "../../../outside/store/ports/client-journals.ts";
import { storedJournals } from "../../../outside/store/ports/operation-journals.ts";
import { storedQueue } from "../../../outside/store/ports/operation-queue.ts";
import { openStore } from "../../../outside/store/store.ts";
import type { Fulfilled } from "./ports.ts";
import type { Ground } from "./stores.ts";

export async function storedPorts({ place, end }: Ground): Promise<Fulfilled> {
  const store = await openStore(place);
  const cancelFolder = join(place.state, "cancelled");
  return {
    journals: (stack, retention = {}) =>
      storedJournals(store, stack, { cancelFolder, actor: "Paul", retention }),
    queue: (stack) => storedQueue(store, stack),
    ledger: store.certificates,
    orders: (client) => storedOrderJournal(store, client),
    orderedClients: () => storedOrderedClients(store),
    retirements: (client) => storedRetirementJournal(store, place.state, client),
    refreshZone: store.zones.refresh,
    end: async () => {
      await store.close();
      await end();
    },
  };
}
