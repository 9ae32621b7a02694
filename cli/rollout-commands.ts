/** @module Declares the commands that change what towns run, and those that tell what was done. */
import type { Command } from "commander";
import { defaultWaves } from "../core/rollout/waves.ts";
import type { OperationsOptions } from "./commands/operations.ts";
import type { RolloutOptions, UpdateOptions } from "./commands/update.ts";
import { collect } from "./options.ts";
import type { Session } from "./session.ts";

export function rolloutCommands({ program, console, t }: Session): void {
  paced(program.command("update").description(t("update.help")))
    .option("--release <id>", t("update.help.release"))
    .option("--services <names>", t("update.help.services"))
    .option("--migration <file>", t("update.help.migration"))
    .option("--only-outdated", t("update.help.onlyOutdated"))
    .option("--skip-check", t("update.help.skipCheck"))
    .action(async (options: UpdateOptions) =>
      (await import("./commands/update.ts")).update(console, options),
    );

  paced(program.command("rollback").description(t("rollback.help"))).action(async (options: RolloutOptions) =>
    (await import("./commands/update.ts")).rollback(console, options),
  );

  program
    .command("preview")
    .description(t("preview.help"))
    .option("--json", t("help.json"))
    .option("--stack <name>", t("help.stack"))
    .action(async (options: { stack?: string; json?: boolean }) =>
      (await import("./commands/preview.ts")).preview(console, options),
    );

  function paced(command: Command): Command {
    return command
      .option("--client <name>", t("update.help.client"), collect)
      .option("--all", t("update.help.all"))
      .option("--waves <sizes>", t("update.help.waves"), defaultWaves)
      .option("--parallel <number>", t("update.help.parallel"))
      .option("--soak <seconds>", t("update.help.soak"), "20")
      .option("--max-failures <share>", t("update.help.maxFailures"), "10%")
      .option("--without-canary", t("update.help.withoutCanary"))
      .option("--plan", t("update.help.plan"))
      .option("--yes", t("update.help.yes"))
      .option("--json", t("help.json"))
      .option("--no-wait", t("update.help.noWait"))
      .option("--no-commit", t("registry.noCommit"))
      .option("--stack <name>", t("help.stack"));
  }
}

export function operationCommands({ program, console, t }: Session): void {
  const operations = program.command("operations").description(t("operations.help"));
  const load = () => import("./commands/operations.ts");
  operations
    .command("list")
    .description(t("operations.help.list"))
    .option("--limit <number>", t("operations.help.count"), "20")
    .option("--json", t("help.json"))
    .option("--stack <name>", t("help.stack"))
    .action(async (options: OperationsOptions) => (await load()).list(console, options));
  for (const verb of ["show", "follow", "cancel"] as const)
    operations
      .command(verb)
      .description(t(`operations.help.${verb}`))
      .argument("[id]", t("operations.help.id"))
      .option("--json", t("help.json"))
      .option("--stack <name>", t("help.stack"))
      .action(async (id: string | undefined, options: OperationsOptions) =>
        (await load())[verb](console, id, options),
      );
  operations
    .command("resume")
    .description(t("operations.help.resume"))
    .argument("[id]", t("operations.help.id"))
    .option("--json", t("help.json"))
    .option("--without-canary", t("update.help.withoutCanary"))
    .option("--no-wait", t("update.help.noWait"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action(async (id: string | undefined, options: OperationsOptions) =>
      (await load()).resume(console, id, options),
    );
}
