/** @module `logs`: what a service's containers write, once or until Ctrl-C. */
import { openSsh } from "../../outside/ssh.ts";
import { followCommand } from "../../outside/ssh-session.ts";
import { logsCommand, logsSeconds } from "../../core/commands/logs.ts";
import type { Console } from "../console.ts";
import { chosenFleet, statusClient } from "../../wiring/fleet.ts";
import { integer } from "../options.ts";
import { plainLine } from "../plain-text.ts";

export interface LogsOptions {
  readonly service: string;
  readonly lines: string;
  readonly since?: string;
  readonly follow?: boolean;
  readonly stack?: string;
}

export async function logs(console: Console, name: string, options: LogsOptions): Promise<void> {
  const lines = integer("--lines", options.lines, 1, 10_000);
  const [client] = (await chosenFleet(options.stack, [name])).clients.map(statusClient);
  if (!client) return;
  const { service, since, follow = false } = options;
  const command = logsCommand(client.release, { service, lines, since, follow });
  const onLine = (line: string) => console.print(plainLine(line));
  if (follow) return followCommand(client.target, "logs", command, onLine);
  const ssh = await openSsh(client.target);
  await ssh.run("logs", command, { onLine, timeoutSeconds: logsSeconds + 10 });
}
