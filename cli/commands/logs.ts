/** @module `logs`: what a service's containers write, once or until Ctrl-C. */
import { logsCommand, logsSeconds } from "../../core/commands/logs.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { integer, stackOption } from "../options.ts";
import { plainLine } from "../plain-text.ts";

interface LogsOptions {
  readonly service: string;
  readonly lines: string;
  readonly since?: string;
  readonly follow?: boolean;
  readonly stack?: string;
}

export const logs = command({
  path: "logs",
  group: "servers",
  help: "help.logs",
  arguments: [{ usage: "<name>", help: "help.clientName" }],
  options: [
    { usage: "--service <name>", help: "help.logs.service", fallback: "api" },
    { usage: "--lines <number>", help: "help.logs.lines", fallback: "50" },
    { usage: "--since <time>", help: "help.logs.since" },
    { usage: "--follow", help: "help.logs.follow" },
    stackOption,
  ],
  examples: ["logs ville-lyon --service api --follow", "logs ville-lyon --service nginx --lines 200"],
  run: (console, options: LogsOptions, name: string) => run(console, name, options),
});

async function run(console: Console, name: string, options: LogsOptions): Promise<void> {
  const lines = integer("--lines", options.lines, 1, 10_000);
  const { chosenFleet, statusClient } = await import("../../wiring/fleet.ts");
  const [client] = (await chosenFleet(options.stack, [name])).clients.map(statusClient);
  if (!client) return;
  const { service, since, follow = false } = options;
  const command = logsCommand(client.release, { service, lines, since, follow });
  const { followCommand, openSsh } = await import("../../wiring/servers.ts");
  const onLine = (line: string) => console.print(plainLine(line));
  if (follow) return followCommand(client.target, "logs", command, onLine);
  const ssh = await openSsh(client.target);
  await ssh.run("logs", command, { onLine, timeoutSeconds: logsSeconds + 10 });
}
