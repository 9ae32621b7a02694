#!/usr/bin/env node
/** @module The command line `geoclic-fleet`. The only place that ends the process. */
import { Command, Option } from "commander";
import { describe, FleetError } from "../core/errors.ts";
import { exitStatus, exitStatusOf } from "../core/exit-status.ts";
import { type Language, languageOf, type TextKey, text } from "../core/messages/catalogue.ts";
import { type Console, terminal } from "./console.ts";
import { keyCommands } from "./key-commands.ts";
import { orderCommands } from "./order-commands.ts";
import { registryCommands } from "./registry-commands.ts";
import { operationCommands, rolloutCommands } from "./rollout-commands.ts";
import { serverCommands } from "./server-commands.ts";

const env = process.env;
const language = chosenLanguage(process.argv);
const t = (key: TextKey) => text(key, language);
const console = terminal(language);

const program = new Command("geoclic-fleet")
  .description(t("help.program"))
  .addOption(new Option("--lang <fr|en>", t("help.language")).choices(["fr", "en"]))
  .showHelpAfterError();

command("doctor", "help.doctor", ["json"], async () => (await import("./commands/doctor.ts")).doctor);
command(
  "agent",
  "help.agent",
  ["stack", "env", "public"],
  async () => (await import("./commands/agent.ts")).agent,
);
serverCommands({ program, console, t });
keyCommands({ program, console, t });
orderCommands({ program, console, t });
registryCommands({ program, console, t });
rolloutCommands({ program, console, t });
operationCommands({ program, console, t });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof FleetError) process.stderr.write(`${describe(error, language)}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = error instanceof FleetError ? exitStatusOf(error) : exitStatus.failed;
}

type Run<Options> = (console: Console, options: Options) => Promise<void>;
type CommandOptions = { stack?: string; json?: boolean; env?: boolean; public?: boolean };

function command(
  name: string,
  help: TextKey,
  options: readonly ("json" | "stack" | "env" | "public")[],
  load: () => Promise<Run<CommandOptions>>,
): void {
  const added = program.command(name).description(t(help));
  if (options.includes("stack")) added.option("--stack <name>", t("help.stack"));
  if (options.includes("json")) added.option("--json", t("help.json"));
  if (options.includes("env")) added.option("--env", t("help.env"));
  if (options.includes("public")) added.option("--public", t("help.public"));
  added.action(async (given: CommandOptions) => (await load())(console, given));
}

/** `--lang` counts before the rest is parsed, since help texts are made of it. */
function chosenLanguage(argv: readonly string[]): Language {
  const index = argv.findIndex((word) => word === "--lang" || word.startsWith("--lang="));
  const given = argv[index]?.split("=")[1] ?? (index < 0 ? undefined : argv[index + 1]);
  return given === "fr" || given === "en" ? given : languageOf(env.LC_ALL || env.LC_MESSAGES || env.LANG);
}
