/** @module `list`: the declared clients. */
import { type ClientConfig, reachOf } from "../../core/config/stack.ts";
import { text } from "../../core/messages/catalogue.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { jsonOption, stackOption } from "../options.ts";
import { table } from "../table.ts";

interface ListOptions {
  readonly stack?: string;
  readonly json?: boolean;
}

export const list = command({
  path: "list",
  group: "servers",
  help: "help.list",
  options: [jsonOption, stackOption],
  examples: ["list", "list --json"],
  run: (console, options: ListOptions) => run(console, options),
});

async function run(console: Console, options: ListOptions): Promise<void> {
  const { declaredFleet } = await import("../../wiring/fleet.ts");
  const { clients } = await declaredFleet(options.stack);
  const rows = clients.map(({ client, release }) => ({
    name: client.name,
    domain: client.domain,
    ip: client.ip ?? client.serviceName ?? "-",
    reach: reachOf(client),
    release: release.id,
    state: stateOf(client),
  }));
  if (options.json) return console.json(rows);
  const t = (key: Parameters<typeof text>[0]) => text(key, console.language);
  if (rows.length === 0)
    return console.print(text("list.empty", console.language, { stack: options.stack ?? "" }));
  const head = [
    "column.client",
    "column.domain",
    "column.ip",
    "column.reach",
    "column.release",
    "column.state",
  ] as const;
  console.print(
    table(
      head.map(t),
      rows.map(({ state, ...row }) => [...Object.values(row), t(`state.${state}`)]),
    ),
  );
}

function stateOf({ detached, canary }: ClientConfig): "detached" | "canary" | "converged" {
  if (detached) return "detached";
  return canary ? "canary" : "converged";
}
