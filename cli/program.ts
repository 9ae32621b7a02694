/** @module Every command of `geoclic-fleet`, and the program that commander makes of them. */
import { Command, Option } from "commander";
import { type Language, type TextKey, text } from "../core/messages/catalogue.ts";
import { stackName } from "../core/registry/stack-name.ts";
import type { CommandSpec, OptionSpec } from "./command.ts";
import { add } from "./commands/add.ts";
import { agent } from "./commands/agent.ts";
import { backup } from "./commands/backup.ts";
import { doctor } from "./commands/doctor.ts";
import { drift } from "./commands/drift.ts";
import { importClients } from "./commands/import.ts";
import { init } from "./commands/init.ts";
import { list } from "./commands/list.ts";
import { logs } from "./commands/logs.ts";
import { operationCommands } from "./commands/operations.ts";
import { orderCommands } from "./commands/order.ts";
import { preview } from "./commands/preview.ts";
import { provision } from "./commands/provision.ts";
import { remove } from "./commands/remove.ts";
import { retire } from "./commands/retire.ts";
import { rollback } from "./commands/rollback.ts";
import { ssh } from "./commands/ssh.ts";
import { keyCommands } from "./commands/ssh-key.ts";
import { status } from "./commands/status.ts";
import { testSsh } from "./commands/test-ssh.ts";
import { update } from "./commands/update.ts";
import type { Console } from "./console.ts";
import { childOf, frame } from "./frame.ts";
import { withoutLanguage } from "./options.ts";

const helps = (["help", "aide"] as const).map(
  (path): CommandSpec => ({
    path,
    group: "tool",
    help: path === "help" ? "usage.helpCommand" : "usage.aide",
    arguments: [{ usage: "[command...]", help: "usage.helpOf" }],
    examples: [`${path} update`],
  }),
);

/** Its own words are the library's: see `offerNames`. */
const completion: CommandSpec = {
  path: "completion",
  group: "tool",
  help: "usage.completion",
  arguments: [{ usage: "<shell>" }],
  examples: ["completion bash >> ~/.bashrc"],
};

/** In the order of the help. */
export const commands: readonly CommandSpec[] = [
  ...[provision, init, backup, update, rollback, preview],
  ...[list, status, drift, ssh, logs, testSsh],
  ...[add, remove, retire, importClients, ...orderCommands],
  ...[...operationCommands, ...keyCommands, doctor, agent, ...helps, completion],
];

/** `words`: those after the program's name. */
export async function makeProgram(
  console: Console,
  language: Language,
  words: readonly string[],
): Promise<Command> {
  const t = (key: TextKey) => text(key, language);
  const program = new Command("geoclic-fleet")
    .description(t("help.program"))
    .addOption(new Option("--lang <fr|en>", t("help.language")).choices(["fr", "en"]));
  const line = withoutLanguage(words);
  const isCompleted = line[0] === "completion" || line[0] === "complete";
  for (const spec of commands) if (spec !== completion || !isCompleted) declare(spec);
  if (isCompleted) {
    const { offerNames } = await import("./completion.ts");
    await offerNames(program, line, t("usage.completion"));
  }
  program.hook("preAction", (_, command) => {
    const { stack } = command.optsWithGlobals<{ stack?: string }>();
    if (stack !== undefined) stackName(stack);
  });
  frame(program, language, commands);
  return program;

  function declare(spec: CommandSpec): void {
    const path = spec.path.split(" ");
    const parent = path.slice(0, -1).reduce(childOf, program);
    const command = parent.command(path.at(-1) ?? "").description(t(spec.help));
    for (const { usage, help, fallback } of spec.arguments ?? [])
      command.argument(usage, help ? t(help) : "", fallback);
    for (const option of spec.options ?? []) command.addOption(optionOf(option));
    const { run } = spec;
    if (helps.includes(spec))
      // In French the whole program is declared anew: see main.ts.
      command.action((names: string[]) => names.reduce(childOf, program).outputHelp());
    else if (run)
      command.action((...given: unknown[]) => {
        // Commander gives `--stack` to `order`, when `order list` has it too.
        const options = command.optsWithGlobals();
        return run({ console, words: given.slice(0, spec.arguments?.length ?? 0) as string[], options });
      });
  }

  function optionOf({ usage, help, fallback, choices, ...spec }: OptionSpec): Option {
    const option = new Option(usage, t(help));
    if (choices) option.choices(choices);
    if (fallback !== undefined) option.default(fallback);
    if (spec.isRepeated) option.argParser((value, former: string[] = []) => [...former, value]);
    if (spec.isRequired) option.makeOptionMandatory();
    return spec.isHidden ? option.hideHelp() : option;
  }
}
