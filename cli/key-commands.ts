/** @module Declares the commands of the fleet's key. */
import type { KeyOptions, RotateOptions } from "./commands/ssh-key.ts";
import type { Session } from "./session.ts";

export function keyCommands({ program, console, t }: Session): void {
  const sshKey = program.command("ssh-key").description(t("sshKey.help"));
  const load = () => import("./commands/ssh-key.ts");

  sshKey
    .command("show")
    .description(t("sshKey.help.show"))
    .option("--json", t("help.json"))
    .option("--stack <name>", t("sshKey.help.stack"))
    .action(async (options: KeyOptions) => (await load()).show(console, options));

  sshKey
    .command("rotate")
    .description(t("sshKey.help.rotate"))
    .option("--parallel <number>", t("sshKey.help.parallel"), "10")
    .option("--yes", t("update.help.yes"))
    .option("--json", t("help.json"))
    .option("--no-wait", t("update.help.noWait"))
    .option("--no-commit", t("registry.noCommit"))
    .option("--stack <name>", t("sshKey.help.stack"))
    .action(async (options: RotateOptions) => (await load()).rotate(console, options));
}
