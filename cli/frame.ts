/** @module Commander in the reader's language: headings, errors by code, groups, examples, exit statuses. */
import { type Command, CommanderError, type Option } from "commander";
import { FleetError } from "../core/errors.ts";
import { exitStatus } from "../core/exit-status.ts";
import { type Language, text } from "../core/messages/catalogue.ts";
import type { CommandSpec } from "./command.ts";
import { withoutLanguage } from "./options.ts";

type Key = Parameters<typeof text>[0];

/** To be called once every command is declared. Wrong usage is thrown as a CommanderError; see `usageError`. */
export function frame(program: Command, language: Language, commands: readonly CommandSpec[]): void {
  const t = (key: Key, values = {}) => text(key, language, values);
  const titles: Readonly<Record<string, string>> = {
    "Usage:": t("usage.usage"),
    "Options:": t("usage.options"),
    "Arguments:": t("usage.arguments"),
    "Commands:": t("usage.commands"),
  };
  visit(program, "");
  const statuses = Object.values(exitStatus).map((status) => `  ${status}  ${t(`status.${status}`)}`);
  program.addHelpText("after", `\n${t("usage.statuses")}\n${statuses.join("\n")}`);

  function visit(command: Command, path: string): void {
    command
      .helpCommand(false)
      .helpOption("-h, --help", t("usage.help"))
      .exitOverride()
      .configureOutput({ writeErr: () => {}, outputError: () => {} })
      .configureHelp({
        styleTitle: (title) => titles[title] ?? title,
        optionDescription,
        argumentDescription: ({ description, defaultValue }) =>
          defaultValue === undefined
            ? description
            : `${description} (${t("usage.default", { value: String(defaultValue) })})`,
      });
    // Commander shows a command's help without a look at the words behind it.
    command.addHelpText("beforeAll", () => {
      const [word] = command.args;
      const isKnown = word === undefined || word.startsWith("-") || command.registeredArguments.length > 0;
      if (command.commands.length > 0 && !isKnown) childOf(command, word);
      return "";
    });
    const spec = commands.find((each) => each.path === path);
    if (spec) {
      const lines = spec.examples.map((line) => (line.startsWith("eval") ? line : `geoclic-fleet ${line}`));
      command.addHelpText(
        "after",
        `\n${t("usage.examples")}\n${lines.map((line) => `  ${line}`).join("\n")}`,
      );
    }
    for (const child of command.commands) {
      const name = path ? `${path} ${child.name()}` : child.name();
      const group = commands.find((each) => each.path === name)?.group;
      if (group) child.helpGroup(t(`group.${group}`));
      visit(child, name);
    }
  }

  function optionDescription({ description, argChoices, defaultValue, negate }: Option): string {
    const extra = [
      ...(argChoices ? [t("usage.choices", { value: argChoices.join(", ") })] : []),
      ...(defaultValue === undefined || negate || typeof defaultValue === "boolean"
        ? []
        : [t("usage.default", { value: String(defaultValue) })]),
    ];
    return extra.length > 0
      ? `${description} (${extra.join(language === "fr" ? " ; " : "; ")})`
      : description;
  }
}

/** @throws CommanderError `commander.unknownCommand` */
export function childOf(command: Command, word: string): Command {
  const child = command.commands.find((each) => each.name() === word);
  return child ?? command.error(`error: unknown command '${word}'`, { code: "commander.unknownCommand" });
}

/** Help that was asked for and shown. */
export function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** A CommanderError as one of our own; `argv`: the words after the program's name. */
export function usageError(
  error: CommanderError,
  program: Command,
  argv: readonly string[],
  language: Language,
): FleetError {
  const { code, message } = error;
  const values = {
    got: shown(/'([\s\S]*?)'(?=[^']*$|[ .])/.exec(message)?.[1]),
    command: commandOf(program, argv).path,
  };
  const meant = /Did you mean (?:one of )?(.+)\?\)/.exec(message)?.[1];
  const hint = meant ? text("usage.didYouMean", language, { value: meant }) : "";
  switch (code) {
    case "commander.unknownOption":
      return new FleetError("USAGE_OPTION_UNKNOWN", { ...values, hint });
    case "commander.unknownCommand":
      return new FleetError("USAGE_COMMAND_UNKNOWN", { ...values, hint });
    case "commander.missingArgument":
      return new FleetError("USAGE_ARGUMENT_MISSING", values);
    case "commander.missingMandatoryOptionValue":
      return new FleetError("USAGE_OPTION_REQUIRED", values);
    case "commander.optionMissingArgument":
      return new FleetError("USAGE_VALUE_MISSING", values);
    case "commander.excessArguments":
      return new FleetError("USAGE_ARGUMENTS_TOO_MANY", values);
    case "commander.invalidArgument":
      return new FleetError("USAGE_VALUE_INVALID", {
        ...values,
        got: shown(/(?:argument|value) '([\s\S]*)' is invalid/.exec(message)?.[1]),
        allowed: /Allowed choices are (.*)\.$/.exec(message)?.[1] ?? "?",
      });
    case "commander.help":
      return new FleetError("USAGE_COMMAND_MISSING", {
        ...values,
        known: childrenOf(commandOf(program, argv).command).join(", "),
      });
    default:
      return new FleetError("USAGE_WRONG", { ...values, got: shown(message) });
  }
}

/** As it was typed, in one line of bearable length. */
function shown(typed: string | undefined): string {
  return JSON.stringify((typed ?? "").slice(0, 80));
}

function childrenOf(command: Command): string[] {
  return command.commands.map((child) => child.name());
}

/** The command that was meant, as far as its name was right, and its path. */
function commandOf(program: Command, argv: readonly string[]): { command: Command; path: string } {
  let command = program;
  let path = "geoclic-fleet";
  for (const word of withoutLanguage(argv).filter((each) => !each.startsWith("-"))) {
    const child = command.commands.find((each) => each.name() === word);
    if (!child) break;
    command = child;
    path += ` ${word}`;
  }
  return { command, path };
}
