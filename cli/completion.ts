/** @module Completion of shells: commands and options by the library, names of clients, services and operations by us. */
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { knownNames } from "../wiring/names.ts";

/** Adds `completion`, and what its scripts call. `words`: those after the program's name. */
export async function offerNames(
  program: Command,
  words: readonly string[],
  description: string,
): Promise<void> {
  const root = tab(program, { completionCommandName: "completion" });
  program.commands.find((command) => command.name() === "completion")?.description(description);
  if (words[0] !== "complete") return;
  const known = await knownNames(words[words.indexOf("--stack") + 1 || words.length]).catch(() => ({
    clients: [],
    operations: [],
  }));
  const offer = (values: readonly string[]) => (complete: (value: string, description: string) => void) => {
    for (const value of values) complete(value, "");
  };
  for (const [path, command] of root.commands) {
    const option = command.options.get("client");
    if (option) option.handler = offer(known.clients);
    for (const [name, argument] of command.arguments) {
      if (name === "name") argument.handler = offer(known.clients);
      if (name === "id" && path.startsWith("operations")) argument.handler = offer(known.operations);
    }
  }
}
