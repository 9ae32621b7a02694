/** @module Declares the commands that only look at servers. */
import type { DriftOptions } from "./commands/drift.ts";
import type { LogsOptions } from "./commands/logs.ts";
import type { StatusOptions } from "./commands/status.ts";
import type { TestSshOptions } from "./commands/test-ssh.ts";
import { collect } from "./options.ts";
import type { Session } from "./session.ts";

export function serverCommands({ program, console, t }: Session): void {
  program
    .command("list")
    .description(t("help.list"))
    .option("--json", t("help.json"))
    .option("--stack <name>", t("help.stack"))
    .action(async (options: { stack?: string; json?: boolean }) =>
      (await import("./commands/list.ts")).list(console, options),
    );

  program
    .command("status")
    .description(t("help.status"))
    .option("--client <name>", t("help.client"), collect)
    .option("--timeout <seconds>", t("help.timeout"), "10")
    .option("--watch [seconds]", t("help.watch"))
    .option("--json", t("help.json"))
    .option("--stack <name>", t("help.stack"))
    .action(async (options: StatusOptions) =>
      (await import("./commands/status.ts")).status(console, options),
    );

  program
    .command("drift")
    .description(t("help.drift"))
    .option("--client <name>", t("help.client"), collect)
    .option("--fix", t("help.drift.fix"))
    .option("--json", t("help.json"))
    .option("--stack <name>", t("help.stack"))
    .action(async (options: DriftOptions) => {
      const [{ drift }, { redo }] = await Promise.all([
        import("./commands/drift.ts"),
        import("./commands/redo.ts"),
      ]);
      await drift(console, options, (clients) => redo(console, options.stack, clients));
    });

  program
    .command("ssh")
    .description(t("help.ssh"))
    .argument("<name>", t("help.clientName"))
    .argument("[command...]", t("help.ssh.command"))
    .option("--stack <name>", t("help.stack"))
    .action(async (name: string, command: string[], options: { stack?: string }) =>
      (await import("./commands/ssh.ts")).ssh(console, name, command, options),
    );

  program
    .command("logs")
    .description(t("help.logs"))
    .argument("<name>", t("help.clientName"))
    .option("--service <name>", t("help.logs.service"), "api")
    .option("--lines <number>", t("help.logs.lines"), "50")
    .option("--since <time>", t("help.logs.since"))
    .option("--follow", t("help.logs.follow"))
    .option("--stack <name>", t("help.stack"))
    .action(async (name: string, options: LogsOptions) =>
      (await import("./commands/logs.ts")).logs(console, name, options),
    );

  program
    .command("test-ssh")
    .description(t("help.testSsh"))
    .argument("[ip]", t("help.testSsh.ip"))
    .argument("[user]", t("help.testSsh.user"), "ubuntu")
    .argument("[port]", t("help.testSsh.port"), "22")
    .option("--client <name>", t("help.clientName"))
    .option("--timeout <seconds>", t("help.timeout"), "10")
    .option("--json", t("help.json"))
    .option("--stack <name>", t("help.stack"))
    .action(async (ip: string | undefined, user: string, port: string, options: TestSshOptions) =>
      (await import("./commands/test-ssh.ts")).testSsh(console, { ip, user, port }, options),
    );
}
