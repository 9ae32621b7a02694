/** @module One process of the store's benchmark: `node store-worker.ts '{"kind":…}'`. */
import { appendFileSync } from "node:fs";
import { operationJournals } from "../outside/operation-journals.ts";
import { operationQueue } from "../outside/operation-queue.ts";
import { storedJournals } from "../outside/store/ports/operation-journals.ts";
import { openStore, type StorePlace } from "../outside/store/store.ts";

export type StoreWork =
  | { readonly kind: "list"; readonly place: StorePlace; readonly isStored: boolean }
  | {
      readonly kind: "turns";
      readonly place: StorePlace;
      readonly isStored: boolean;
      readonly times: number;
      readonly log: string;
    };

const work = JSON.parse(process.argv[2] ?? "") as StoreWork;
const { place, isStored } = work;
const { state } = place;

if (work.kind === "list") {
  const began = performance.now();
  const store = isStored ? await openStore(place) : undefined;
  const journals = store
    ? storedJournals(store, "prod", { cancelFolder: state, actor: "bench" })
    : operationJournals(state, "prod");
  const operations = (await journals.list()).length;
  const seconds = (performance.now() - began) / 1000;
  console.log(JSON.stringify({ operations, seconds, peakMiB: process.resourceUsage().maxRSS / 1024 }));
  await store?.close();
} else {
  const store = isStored ? await openStore(place) : undefined;
  const filed = operationQueue(state, "prod");
  const alone = { wait: true, signal: new AbortController().signal, onWait: () => {}, onDead: () => {} };
  const enter = () =>
    store?.turns.enter("stack prod", { what: "update", actor: "bench" }) ??
    filed.enter("update", "bench", alone).then((ticket) => ({ ticket: 0, ...ticket }));
  for (let time = 0; time < work.times; time += 1) {
    const { ticket, release } = await enter();
    appendFileSync(work.log, `in ${process.pid} ${ticket}\n`);
    appendFileSync(work.log, `out ${process.pid} ${ticket}\n`);
    await release();
  }
  await store?.close();
}
