/** @module Declares the commands that bring a town online and keep its data. */
import { Option } from "commander";
import type { BackupOptions } from "./commands/backup.ts";
import type { InitOptions } from "./commands/init.ts";
import type { ProvisionOptions } from "./commands/provision.ts";
import { collect } from "./options.ts";
import type { Session } from "./session.ts";

export function townCommands({ program, console, t }: Session): void {
  program
    .command("provision")
    .description(t("provision.help"))
    .argument("[name]", t("provision.help.name"))
    .option("--name <name>", t("provision.help.name"))
    .option("--domain <name>", t("add.help.domain"))
    .option("--ip <address>", t("add.help.ip"))
    .option("--service-name <vps>", t("add.help.serviceName"))
    .option("--email <address>", t("add.help.email"))
    .option("--town <name>", t("add.help.town"))
    .option("--reach <address>", t("add.help.reach"))
    .option("--ssh-user <name>", t("add.help.sshUser"))
    .option("--ssh-port <port>", t("add.help.sshPort"))
    .option("--host-key <key>", t("add.help.hostKey"))
    .option("--canary", t("add.help.canary"))
    .addOption(new Option("--dns <kind>", t("add.help.dns")).choices(["managed", "external"]))
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
