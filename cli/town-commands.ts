/** @module Declares the commands that bring a town online and keep its data. */
import { Option } from "commander";
import type { BackupOptions } from "./commands/backup.ts";
import type { InitOptions } from "./commands/init.ts";
import type { ProvisionOptions } from "./commands/provision.ts";
import { collect } from "./options.ts";
import { entryOptions } from "./registry-commands.ts";
import type { Session } from "./session.ts";

export function townCommands({ program, console, t }: Session): void {
  const provision = program
    .command("provision")
    .description(t("provision.help"))
    .argument("[name]", t("provision.help.name"))
    .option("--name <name>", t("provision.help.name"));
  entryOptions(provision, t)
    .option("--yes", t("add.help.yes"))
    .option("--json", t("help.json"))
    .option("--no-wait", t("update.help.noWait"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action(async (name: string | undefined, options: ProvisionOptions) =>
      (await import("./commands/provision.ts")).provision(console, name, options),
    );

  program
    .command("init")
    .description(t("init.help"))
    .option("--client <name>", t("init.help.client"))
    .option("--email <address>", t("init.help.email"))
    .option("--collectivite <name>", t("init.help.town"))
    .addOption(new Option("--town <name>", t("init.help.town")).hideHelp())
    .addOption(new Option("--password <text>", t("init.help.password")).hideHelp())
    .option("--password-stdin", t("init.help.passwordStdin"))
    .option("--with-demo", t("init.help.withDemo"))
    .option("--no-wait", t("update.help.noWait"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action(async (options: InitOptions) => (await import("./commands/init.ts")).init(console, options));

  program
    .command("backup")
    .description(t("backup.help"))
    .option("--client <name>", t("update.help.client"), collect)
    .option("--all", t("update.help.all"))
    .option("--parallel <number>", t("backup.help.parallel"), "10")
    .option("--json", t("help.json"))
    .option("--no-wait", t("update.help.noWait"))
    .option("--stack <name>", t("help.stack"))
    .action(async (options: BackupOptions) =>
      (await import("./commands/backup.ts")).backup(console, options),
    );
}
