/** @module What was measured: kept as JSON, shown as a table with ratios to the smallest fleet. */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { table } from "../cli/table.ts";
import type { Cost } from "./measure.ts";

export interface VerbCost extends Cost {
  /** By SSH; `NaN` where nobody counted. */
  readonly connections: number;
}

export interface Measured {
  readonly clients: number;
  readonly resources: number;
  readonly stateBytes: number;
  readonly first: VerbCost | undefined;
  readonly verbs: Readonly<Record<string, VerbCost>>;
}

/** Each figure's own median. */
export function median(costs: readonly Cost[]): Cost {
  const middle = (of: (cost: Cost) => number) => {
    const sorted = costs.map(of).sort((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
  };
  return {
    seconds: middle(({ seconds }) => seconds),
    cpuSeconds: middle(({ cpuSeconds }) => cpuSeconds),
    peakMiB: middle(({ peakMiB }) => peakMiB),
  };
}

export function resultTable(measured: readonly Measured[]): string {
  const [smallest] = measured;
  const rows = measured.flatMap(({ clients, first, verbs, resources, stateBytes }) =>
    [...(first ? [["first up", first] as const] : []), ...Object.entries(verbs)].map(([verb, cost]) => {
      const base = verb === "first up" ? smallest?.first : smallest?.verbs[verb];
      return [
        String(clients),
        verb,
        cost.seconds.toFixed(2),
        ratio(cost.seconds, base?.seconds),
        cost.cpuSeconds.toFixed(2),
        ratio(cost.cpuSeconds, base?.cpuSeconds),
        cost.peakMiB.toFixed(0),
        Number.isNaN(cost.connections) ? "" : String(cost.connections),
        String(resources),
        (stateBytes / 1024).toFixed(0),
      ];
    }),
  );
  const head = [
    "clients",
    "verb",
    "seconds",
    "ratio",
    "CPU s",
    "ratio",
    "peak MiB",
    "SSH",
    "resources",
    "state KiB",
  ];
  return table(head, rows);
}

function ratio(value: number, base: number | undefined): string {
  return base === undefined ? "" : `× ${(value / base).toFixed(1)}`;
}

/** @returns path of the file */
export async function keepResults(name: string, measured: readonly object[]): Promise<string> {
  const folder = join(import.meta.dirname, "results");
  await mkdir(folder, { recursive: true });
  const time = new Date().toISOString();
  const file = join(folder, `${name}-${time.replaceAll(/[:.]/g, "-")}.json`);
  const machine = {
    processors: cpus().length,
    model: cpus()[0]?.model,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
  };
  await writeFile(file, `${JSON.stringify({ time, machine, measured }, null, 2)}\n`);
  return file;
}
