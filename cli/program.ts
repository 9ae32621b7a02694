/** @module Every command of `geoclic-fleet`, declared. */
import { Command, Option } from "commander";
import { type Language, type TextKey, text } from "../core/messages/catalogue.ts";
import { stackName } from "../core/registry/stack-name.ts";
import type { Console } from "./console.ts";
import { frame } from "./frame.ts";
import { keyCommands } from "./key-commands.ts";
import { orderCommands } from "./order-commands.ts";
import { registryCommands } from "./registry-commands.ts";
import { operationCommands, rolloutCommands } from "./rollout-commands.ts";
import { serverCommands } from "./server-commands.ts";
import type { Session } from "./session.ts";
import { toolCommands } from "./tool-commands.ts";
import { townCommands } from "./town-commands.ts";

export async function makeProgram(
  console: Console,
  language: Language,
  words: readonly string[],
): Promise<Command> {
  const t = (key: TextKey) => text(key, language);
  const program = new Command("geoclic-fleet")
    .description(t("help.program"))
    .addOption(new Option("--lang <fr|en>", t("help.language")).choices(["fr", "en"]));
  const session: Session = { program, console, t };
  townCommands(session);
  rolloutCommands(session);
  serverCommands(session);
  registryCommands(session);
  orderCommands(session);
  operationCommands(session);
  keyCommands(session);
  await toolCommands(session, words);
  program.hook("preAction", (_, command) => {
    const { stack } = command.optsWithGlobals<{ stack?: string }>();
    if (stack !== undefined) stackName(stack);
  });
  frame(program, language);
  return program;
}
