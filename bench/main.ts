/** @module Benchmarks: `npm run bench -- noop --clients 1,10,50,100 [--runs 3] [--fresh]`. Never a test. */
import { Command } from "commander";
import { benchExisting } from "./existing.ts";
import { benchNoop } from "./noop.ts";
import { benchPins } from "./pins.ts";
import { benchPlace } from "./place.ts";
import { keepResults, resultTable } from "./results.ts";
import { benchStatus } from "./status.ts";
import { benchStore, storeLines } from "./store.ts";
import { benchUpdate, updateTable } from "./update.ts";

const program = new Command("bench").description(
  "Measures of this machine; docs/performance.md tells those that count.",
);

program
  .command("noop")
  .description("preview and up of fleets that have nothing to do, their servers imitated on loopback")
  .option("--clients <numbers>", "sizes of the fleets", numbers, [1, 10, 50, 100])
  .option("--runs <number>", "runs of each, of which the median counts", Number, 3)
  .option("--fresh", "make the stacks anew and measure their first up too", false)
  .action(async (options: { clients: number[]; runs: number; fresh: boolean }) => {
    const measured = await benchNoop(benchPlace(), { ...options, report });
    console.log(resultTable(measured));
    console.log(await keepResults("noop", measured));
  });

program
  .command("store")
  .description("lists of operations and turns of two processes, in the store and in the files of before")
  .option("--operations <number>", "operations of 128 KiB that are listed", Number, 2000)
  .option("--turns <number>", "turns that each process takes", Number, 500)
  .option("--url <url>", "an empty PostgreSQL database instead of SQLite")
  .action(async (options: { operations: number; turns: number; url?: string }) => {
    const measured = await benchStore({ ...options, report });
    for (const line of storeLines(measured)) console.log(line);
  });

program
  .command("pins")
  .description("every town of a stack file pinned at once, and the pins gathered")
  .option("--towns <numbers>", "sizes of the fleet", numbers, [100, 1000])
  .action((options: { towns: number[] }) => {
    for (const { towns, pinSeconds, gatherSeconds } of options.towns.map(benchPins))
      console.log(
        `${towns} towns: pinned in ${pinSeconds.toFixed(2)} s, gathered in ${gatherSeconds.toFixed(2)} s`,
      );
  });

program
  .command("existing")
  .description("preview and up of a stack of the lab that has nothing to do; no server is changed")
  .option("--stack <name>", "stack of the lab", "lab")
  .option("--runs <number>", "runs of each, of which the median counts", Number, 3)
  .action(async (options: { stack: string; runs: number }) => {
    const measured = [await benchExisting({ ...options, report })];
    console.log(resultTable(measured));
    console.log(await keepResults(`existing-${options.stack}`, measured));
  });

program
  .command("status")
  .description("one status of many servers, imitated on loopback")
  .option("--hosts <numbers>", "numbers of servers", numbers, [10, 100, 300])
  .option("--runs <number>", "runs of each, of which the median counts", Number, 3)
  .action(async (options: { hosts: number[]; runs: number }) => {
    const measured = await benchStatus(options.hosts, options.runs, report);
    console.log(resultTable(measured));
    console.log(await keepResults("status", measured));
  });

program
  .command("update")
  .description(
    "updates of the lab's towns beside the same ones by Ansible (Debian's ansible-core), which must be there",
  )
  .option("--towns <numbers>", "numbers of towns", numbers, [1, 2, 4])
  .action(async (options: { towns: number[] }) => {
    const costs = await benchUpdate(options.towns, report);
    console.log(updateTable(costs));
    console.log(await keepResults("update", costs));
  });

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

function numbers(list: string): number[] {
  return list.split(",").map(Number);
}

await program.parseAsync();
