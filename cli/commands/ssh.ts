/** @module `ssh`: a session on a server, or a command whose words arrive as they were typed. */
import { openSession } from "../../outside/ssh-session.ts";
import { FleetError } from "../../core/errors.ts";
import type { Console } from "../console.ts";
import { oneTarget } from "../../wiring/fleet.ts";

/** Ends with the remote exit status. */
export async function ssh(
  console: Console,
  name: string,
  command: readonly string[],
  options: { readonly stack?: string },
): Promise<void> {
  if (command.some((word) => word.includes("\0")))
    throw new FleetError("OPTION_INVALID", {
      option: "command",
      got: "phrase.nulByte",
      expected: "phrase.withoutNulByte",
    });
  console.end(await openSession(await oneTarget(options.stack, name), command));
}
