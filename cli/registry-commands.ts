/** @module Declares the commands that edit the registry of clients. */
import { type Command, Option } from "commander";
import type { AddOptions } from "./commands/add.ts";
import type { ImportOptions } from "./commands/import.ts";
import type { RemoveOptions } from "./commands/remove.ts";
import type { RetireOptions } from "./commands/retire.ts";
import { asAttended } from "./operation.ts";
import type { Session } from "./session.ts";

export function registryCommands({ program, console, t }: Session): void {
  const add = program
    .command("add")
    .description(t("add.help"))
    .requiredOption("--name <name>", t("add.help.name"));
  entryOptions(add, t)
    .option("--check", t("add.help.check"))
    .option("--yes", t("add.help.yes"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action((options: AddOptions) =>
      asAttended(console, options.stack, "add", { ...options }, async (attended) =>
        (await import("./commands/add.ts")).add(attended, options),
      ),
    );

  program
    .command("remove")
    .description(t("remove.help"))
    .argument("<name>")
    .option("--yes", t("registry.yes"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action((name: string, options: RemoveOptions) =>
      asAttended(console, options.stack, "remove", { name, ...options }, async (attended) =>
        (await import("./commands/remove.ts")).remove(attended, name, options),
      ),
    );

  program
    .command("retire")
    .description(t("retire.help"))
    .argument("<name>")
    .option("--without-backup", t("retire.help.withoutBackup"))
    .option("--no-up", t("retire.help.noUp"))
    .option("--end-contract", t("retire.help.endContract"))
    .addOption(new Option("--token <token>", t("retire.help.token")).hideHelp())
    .option("--token-stdin", t("retire.help.token"))
    .option("--yes", t("retire.help.yes"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action((name: string, options: RetireOptions) =>
      asAttended(console, options.stack, "retire", { name, ...options }, async (attended) =>
        (await import("./commands/retire.ts")).retire(attended, name, options),
      ),
    );

  program
    .command("import")
    .description(t("import.help"))
    .argument("<clients.conf>")
    .option("--email <address>", t("import.help.email"))
    .option("--town-from-name", t("import.help.townFromName"))
    .option("--skip-refused", t("import.help.skipRefused"))
    .option("--reach <template>", t("import.help.reach"), "{1}.{2}.{3}.{4}")
    .option("--dry-run", t("import.help.dryRun"))
    .option("--yes", t("import.help.yes"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action((path: string, options: ImportOptions) =>
      asAttended(console, options.stack, "import", { path, ...options }, async (attended) =>
        (await import("./commands/import.ts")).importClients(attended, path, options),
      ),
    );
}

/** The fields of a client's entry. */
export function entryOptions(command: Command, t: Session["t"]): Command {
  return command
    .option("--domain <name>", t("add.help.domain"))
    .option("--ip <address>", t("add.help.ip"))
    .option("--ipv6 <address>", t("add.help.ipv6"))
    .option("--service-name <vps>", t("add.help.serviceName"))
    .option("--email <address>", t("add.help.email"))
    .option("--town <name>", t("add.help.town"))
    .option("--reach <address>", t("add.help.reach"))
    .option("--ssh-user <name>", t("add.help.sshUser"))
    .option("--ssh-port <port>", t("add.help.sshPort"))
    .option("--host-key <key>", t("add.help.hostKey"))
    .option("--canary", t("add.help.canary"))
    .addOption(new Option("--dns <kind>", t("add.help.dns")).choices(["managed", "external"]));
}
