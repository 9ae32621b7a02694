/** @module Declares the commands that deal with OVH orders. */
import { type Command, Option } from "commander";
import type { OrderCommandOptions } from "./commands/order.ts";
import type { Session } from "./session.ts";

export function orderCommands({ program, console, t }: Session): void {
  const order = program
    .command("order")
    .description(t("help.order"))
    .argument("<name>")
    .option("--domain <name>", t("help.order.domain"))
    .option("--email <address>", t("help.order.email"))
    .option("--town <name>", t("help.order.town"))
    .option("--plan <code>", t("help.order.plan"), "vps-2025-model1")
    .option("--datacenter <code>", t("help.order.datacenter"), "GRA")
    .option("--os <name>", t("help.order.os"), "Debian 13")
    .addOption(
      new Option("--dns <kind>", t("help.order.dns")).choices(["managed", "external"]).default("managed"),
    )
    .option("--canary", t("help.order.canary"))
    .option("--max-price <amount>", t("help.order.maxPrice"))
    .option("--yes", t("help.order.yes"))
    .option("--wait <minutes>", t("help.order.wait"), "60")
    .option("--reach <template>", t("help.order.reach"), "{1}.{2}.{3}.{4}")
    .option("--ssh-user <name>", t("help.order.sshUser"))
    .option("--order <id>", t("help.order.order"))
    .option("--buy-again", t("help.order.buyAgain"))
    .option("--no-commit", t("help.order.noCommit"))
    .option("--stack <name>", t("help.stack"))
    .action(async (name: string, options: OrderCommandOptions) => {
      await (await import("./commands/order.ts")).order(console, name, options);
    });
  order
    .command("list")
    .description(t("help.orderList"))
    .option("--stack <name>", t("help.stack"))
    .option("--json", t("help.json"))
    .action(async (_: unknown, command: Command) => {
      // Commander gives `--stack` to `order`, which has it too.
      await (await import("./commands/order.ts")).orderList(console, command.optsWithGlobals());
    });
}
