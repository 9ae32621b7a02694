/** @module A process of its own that has the store open and does one thing: `node process.ts '{"place":…,"work":…}'`. */
import { appendFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import type { Identity } from "../../../core/store/holder.ts";
import { openStore, type StorePlace } from "../../../outside/store/store.ts";

export type Work =
  /** Holds a turn until it is killed. */
  | { readonly kind: "hold"; readonly key: string }
  /** Takes a turn some times; says in the log when it has it. */
  | { readonly kind: "turns"; readonly key: string; readonly times: number; readonly log: string }
  /** Begins an operation and works on it until it is killed. */
  | { readonly kind: "operation"; readonly id: string }
  /** Claims until there is nothing left; says in the log what. */
  | { readonly kind: "claims"; readonly log: string }
  /** Adds lines to a journal. */
  | { readonly kind: "lines"; readonly client: string; readonly times: number }
  /** Adds lines until it is killed; says how many are there. */
  | { readonly kind: "flood"; readonly client: string };

const { place, work, identity } = JSON.parse(process.argv[2] ?? "") as {
  readonly place: StorePlace;
  readonly work: Work;
  /** As a process of another machine has it. */
  readonly identity?: Identity;
};
const store = await openStore(place, identity ? { identity } : {});
const say = (file: string, line: string) => appendFileSync(file, `${line}\n`);

switch (work.kind) {
  case "hold":
    await store.turns.enter(work.key, { what: "update other", actor: "you" });
    await standStill();
    break;
  case "turns":
    for (let time = 0; time < work.times; time += 1) {
      const turn = await store.turns.enter(work.key, { what: "update", actor: "you" });
      say(work.log, `in ${process.pid} ${turn.ticket}`);
      await setTimeout(0);
      say(work.log, `out ${process.pid} ${turn.ticket}`);
      await turn.release();
    }
    break;
  case "operation":
    await store.operations.begin({ id: work.id, verb: "update", stack: "prod", actor: "you", request: {} });
    await store.operations.append(work.id, [{ kind: "line", body: { text: "one" } }]);
    await standStill();
    break;
  case "claims":
    for (;;) {
      const claimed = await store.operations.claim();
      if (!claimed) break;
      say(work.log, claimed.id);
      await store.operations.become(claimed.id, "succeeded");
    }
    break;
  case "lines":
    for (let time = 0; time < work.times; time += 1)
      await store.journals.add("order", work.client, { event: "line", time });
    break;
  case "flood":
    for (let time = 1; ; time += 1) {
      await store.journals.add("order", work.client, { event: "line", time, text: "x".repeat(time % 5000) });
      process.stdout.write(`${time}\n`);
    }
}
await store.close();

async function standStill(): Promise<never> {
  process.stdout.write("held\n");
  for (;;) await setTimeout(60_000);
}
