/** @module The store against the files that it takes the place of: lists of operations, and turns of two processes. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { operationJournals } from "../outside/operation-journals.ts";
import { storedJournals } from "../outside/store/ports/operation-journals.ts";
import { openStore } from "../outside/store/store.ts";
import type { StoreWork } from "./store-worker.ts";

export interface StoreFigures {
  readonly list: { readonly store: ListFigures; readonly files: ListFigures };
  readonly turns: { readonly store: TurnFigures; readonly files: TurnFigures };
}

interface ListFigures {
  /** Of the list alone, in a process of its own. */
  readonly seconds: number;
  /** Largest resident size of that process. */
  readonly peakMiB: number;
  readonly operations: number;
}

interface TurnFigures {
  /** Of both processes. */
  readonly turns: number;
  readonly seconds: number;
  readonly lost: number;
  readonly double: number;
  /** Turns that came before one of an earlier ticket; the files do not tell theirs. */
  readonly unfair: number;
  /** Turns that one process had with none of the other's between. */
  readonly longestRow: number;
}

export interface StoreBenchOptions {
  readonly operations: number;
  readonly turns: number;
  /** `postgres://…`: an empty database. Without it SQLite in a folder of its own. */
  readonly url?: string;
  readonly report: (line: string) => void;
}

/** The files' line looks once in 300 ms: so many turns of it tell enough. */
const filedTurns = 20;

export async function benchStore({
  operations,
  turns,
  url,
  report,
}: StoreBenchOptions): Promise<StoreFigures> {
  const state = await mkdtemp(join(tmpdir(), "geoclic-bench-"));
  const place = { state, ...(url === undefined ? {} : { url }) };
  try {
    report(`${operations} operations of 128 KiB: writing`);
    await fill(place, operations);
    const list = {
      store: await listOf({ kind: "list", place, isStored: true }),
      files: await listOf({ kind: "list", place, isStored: false }),
    };
    report(`two processes that take ${turns} turns each`);
    return {
      list,
      turns: { store: await turnsOf(place, true, turns), files: await turnsOf(place, false, filedTurns) },
    };
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}

async function fill(place: { state: string; url?: string }, count: number): Promise<void> {
  const store = await openStore(place);
  const stored = storedJournals(store, "prod", { cancelFolder: place.state, actor: "bench" });
  const filed = operationJournals(place.state, "prod");
  for (let number = 0; number < count; number += 1) {
    const id = `20261123T${String(number).padStart(6, "0")}-00aa`;
    const writers = [stored.create(id), filed.create(id)] as const;
    for (const { tell } of writers) {
      tell({
        kind: "begin",
        id,
        verb: "update",
        stack: "prod",
        actor: "Jeanne",
        request: {},
        pid: 1,
        host: "h",
      });
      tell({ kind: "plan", waves: [["a", "b", "c"]], targets: { a: "r", b: "r", c: "r" } });
      for (let line = 0; line < 128; line += 1) tell({ kind: "line", client: "a", text: "x".repeat(960) });
      for (const client of ["a", "b", "c"]) {
        tell({ kind: "step", client, step: "activation" });
        tell({ kind: "client", client, outcome: "done", release: "r" });
      }
      tell({ kind: "end", outcome: "succeeded" });
    }
    await writers[0].settled();
  }
  await store.close();
}

async function listOf(work: StoreWork): Promise<ListFigures> {
  return JSON.parse(await run(work)) as ListFigures;
}

async function turnsOf(
  place: { state: string; url?: string },
  isStored: boolean,
  times: number,
): Promise<TurnFigures> {
  const log = join(place.state, `turns-${isStored}`);
  const began = performance.now();
  await Promise.all([1, 2].map(() => run({ kind: "turns", place, isStored, times, log })));
  const seconds = (performance.now() - began) / 1000;
  const lines = (await readFile(log, "utf8")).trim().split("\n");
  const owners = lines.filter((line) => line.startsWith("in ")).map((line) => line.slice(3));
  const isWhole = (owner: string, at: number) =>
    lines[2 * at] === `in ${owner}` && lines[2 * at + 1] === `out ${owner}`;
  const [pids, tickets] = [0, 1].map((word) => owners.map((owner) => Number(owner.split(" ")[word])));
  return {
    turns: 2 * times,
    seconds,
    lost: 2 * times - owners.length,
    double: owners.filter((owner, at) => !isWhole(owner, at)).length,
    unfair: tickets?.filter((ticket, at) => ticket < (tickets[at - 1] ?? 0)).length ?? 0,
    longestRow: longestRow(pids ?? []),
  };
}

/** Before one has ended and the other has all turns to itself. */
function longestRow(pids: readonly number[]): number {
  const first = pids.findIndex((pid) => pid !== pids[0]);
  const last = Math.min(...[...new Set(pids)].map((pid) => pids.lastIndexOf(pid)));
  let [longest, row] = [0, 0];
  for (let at = first; at <= last; at += 1) {
    row = pids[at] === pids[at - 1] ? row + 1 : 1;
    longest = Math.max(longest, row);
  }
  return longest;
}

async function run(work: StoreWork): Promise<string> {
  const file = join(import.meta.dirname, "store-worker.ts");
  return (await execa(process.execPath, [file, JSON.stringify(work)])).stdout;
}

export function storeLines({ list, turns }: StoreFigures): string[] {
  const listed = ({ seconds, peakMiB, operations }: ListFigures) =>
    `${operations} in ${seconds.toFixed(3)} s, ${Math.round(peakMiB)} MiB`;
  const taken = ({ seconds, turns: count, lost, double, unfair, longestRow: row }: TurnFigures) =>
    `${count} in ${seconds.toFixed(1)} s (${((1000 * seconds) / count).toFixed(1)} ms each), ${lost} lost, ${double} double, ${unfair} out of turn, at most ${row} in a row`;
  const each = ({ seconds, turns: count }: TurnFigures) => seconds / count;
  return [
    `list, store:  ${listed(list.store)}`,
    `list, files:  ${listed(list.files)}; ${ratio(list.files.seconds, list.store.seconds)} the time, ${ratio(list.files.peakMiB, list.store.peakMiB)} the memory`,
    `turns, store: ${taken(turns.store)}`,
    `turns, files: ${taken(turns.files)}; ${ratio(each(turns.files), each(turns.store))} the time`,
  ];
}

function ratio(a: number, b: number): string {
  return `${(a / b).toFixed(1)} times`;
}
