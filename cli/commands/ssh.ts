/** @module `ssh`: a session on a server, or a command whose words arrive as they were typed. */
import { FleetError } from "../../core/errors.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { stackOption } from "../options.ts";

export const ssh = command({
  path: "ssh",
  group: "servers",
  help: "help.ssh",
  arguments: [
    { usage: "<name>", help: "help.clientName" },
    { usage: "[command...]", help: "help.ssh.command" },
  ],
  options: [stackOption],
  examples: ["ssh ville-lyon", "ssh ville-lyon -- sudo docker ps"],
  run: (console, options: { readonly stack?: string }, name: string, words: readonly string[]) =>
    run(console, name, words, options.stack),
});

/** Ends with the remote exit status. */
async function run(
  console: Console,
  name: string,
  words: readonly string[],
  stack: string | undefined,
): Promise<void> {
  if (words.some((word) => word.includes("\0")))
    throw new FleetError("OPTION_INVALID", {
      option: "command",
      got: "phrase.nulByte",
      expected: "phrase.withoutNulByte",
    });
  const [{ oneTarget }, { openSession }] = await Promise.all([
    import("../../wiring/fleet.ts"),
    import("../../wiring/servers.ts"),
  ]);
  console.end(await openSession(await oneTarget(stack, name), words));
}
