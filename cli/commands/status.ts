/** @module `status`: every server's state, as seen from outside and as it tells itself. */
import { setTimeout } from "node:timers/promises";
import { createLogUpdate } from "log-update";
import { type ClientStatus, readStatus } from "../../verbs/read-status.ts";
import type { Console } from "../console.ts";
import { stepContext } from "../../wiring/step-context.ts";
import { chosenFleet, statusClient } from "../../wiring/fleet.ts";
import { integer } from "../options.ts";
import { statusLines, statusTable } from "../status-table.ts";

export interface StatusOptions {
  readonly stack?: string;
  readonly client?: readonly string[];
  readonly json?: boolean;
  readonly timeout: string;
  /** Seconds; `true` when none were given. */
  readonly watch?: string | true;
}

/** Ends badly when a town is not healthy or a server out of reach; `--watch` ends well by Ctrl-C. */
export async function status(console: Console, options: StatusOptions): Promise<void> {
  const timeout = integer("--timeout", options.timeout, 1, 600);
  const every = options.watch === undefined ? 0 : integer("--watch", watchSeconds(options.watch), 1, 3600);
  const clients = (await chosenFleet(options.stack, options.client)).clients.map(statusClient);
  const ask = () => readStatus(stepContext(console.progress), clients, timeout);
  if (every > 0) return watch(console, options.json === true, every, ask);
  const rows = await ask();
  if (rows.some((row) => row.health !== "healthy" || row.sshError)) console.fail();
  show(console, options.json === true, rows);
}

function show(console: Console, json: boolean, rows: readonly ClientStatus[]): void {
  if (json) console.json(rows);
  else if (process.stdout.isTTY) console.print(statusTable(rows, console.language));
  else console.print(statusLines(rows, console.language));
}

async function watch(
  console: Console,
  json: boolean,
  seconds: number,
  ask: () => Promise<ClientStatus[]>,
): Promise<void> {
  const redraw = !json && process.stdout.isTTY ? createLogUpdate(process.stdout) : undefined;
  process.once("SIGINT", () => {
    redraw?.done();
    // Questions to silent servers would hold the process until their time is over.
    process.exit(0);
  });
  for (;;) {
    const rows = await ask();
    if (redraw) redraw(statusTable(rows, console.language));
    else show(console, json, rows);
    await setTimeout(seconds * 1000);
  }
}

function watchSeconds(given: string | true): string {
  return given === true ? "10" : given;
}
