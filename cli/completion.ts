/** @module Completion of shells: commands and options by the library, names of clients, services and operations by us. */
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";
import { home } from "../outside/home.ts";
import { operationJournals } from "../outside/operation-journals.ts";
import { selectedStack } from "../outside/pulumi.ts";
import { stackFile } from "../outside/stack-file.ts";

/** Adds `completion`, and what its scripts call. `words`: those after the program's name. */
export async function completion(
  program: Command,
  words: readonly string[],
  description: string,
): Promise<void> {
  const root = tab(program, { completionCommandName: "completion" });
  program.commands.find((command) => command.name() === "completion")?.description(description);
  if (words[0] !== "complete") return;
  const known = await read(words).catch(() => ({ clients: [], operations: [] }));
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

async function read(words: readonly string[]): Promise<{ clients: string[]; operations: string[] }> {
  const stack = words[words.indexOf("--stack") + 1 || words.length] ?? (await selectedStack());
  const { clients } = await (await stackFile(stack, { commit: false })).read();
  const operations = await operationJournals(home().state, stack).list();
  return {
    clients: clients.map(({ name }) => name),
    operations: operations.slice(0, 20).map(({ id }) => id),
  };
}
