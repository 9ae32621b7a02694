/** @module `status`: every server's state, as seen from outside and as it tells itself. */
import { setTimeout } from "node:timers/promises";
import { createLogUpdate } from "log-update";
import type { ClientStatus } from "../../wiring/status.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { integer, jsonOption, stackOption } from "../options.ts";
import { statusLines, statusTable } from "../status-table.ts";

interface StatusOptions {
  readonly stack?: string;
  readonly client?: readonly string[];
  readonly json?: boolean;
  readonly timeout: string;
  /** Seconds; `true` when none were given. */
  readonly watch?: string | true;
}

export const status = command({
  path: "status",
  group: "servers",
  help: "help.status",
  options: [
    { usage: "--client <name>", help: "help.client", isRepeated: true },
    { usage: "--timeout <seconds>", help: "help.timeout", fallback: "10" },
    { usage: "--watch [seconds]", help: "help.watch" },
    jsonOption,
    stackOption,
  ],
  examples: ["status", "status --client ville-lyon --watch 5", "status --json"],
  run: (console, options: StatusOptions) => run(console, options),
});

/** Ends badly when a town is not healthy or a server out of reach; `--watch` ends well by Ctrl-C. */
async function run(console: Console, options: StatusOptions): Promise<void> {
  const timeout = integer("--timeout", options.timeout, 1, 600);
  const every = options.watch === undefined ? 0 : integer("--watch", watchSeconds(options.watch), 1, 3600);
  const { openStatus } = await import("../../wiring/status.ts");
  const ask = await openStatus(console, options.stack, options.client, timeout);
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
