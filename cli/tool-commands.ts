/** @module Declares the commands of the tool itself: agent, doctor, completion, help. */
import type { AgentOptions } from "./commands/agent.ts";
import { childOf } from "./frame.ts";
import { withoutLanguage } from "./options.ts";
import type { Session } from "./session.ts";

/** `words`: those after the program's name. */
export async function toolCommands(session: Session, words: readonly string[]): Promise<void> {
  const { program, console, t } = session;
  program
    .command("doctor")
    .description(t("help.doctor"))
    .option("--json", t("help.json"))
    .action(async (options: { json?: boolean }) =>
      (await import("./commands/doctor.ts")).doctor(console, options),
    );

  program
    .command("agent")
    .description(t("help.agent"))
    .option("--stack <name>", t("help.stack"))
    .option("--env", t("help.env"))
    .option("--public", t("help.public"))
    .option("--lifetime <hours>", t("help.lifetime"))
    .action(async (options: AgentOptions) => (await import("./commands/agent.ts")).agent(console, options));

  for (const name of ["help", "aide"] as const)
    program
      .command(name)
      .description(t(name === "help" ? "usage.helpCommand" : "usage.aide"))
      .argument("[command...]", t("usage.helpOf"))
      .action((path: string[]) => {
        // In French the whole program is declared anew: see main.ts.
        let command = program;
        for (const word of path) command = childOf(command, word);
        command.outputHelp();
      });

  const line = withoutLanguage(words);
  if (line[0] === "completion" || line[0] === "complete") {
    const { completion } = await import("./completion.ts");
    await completion(program, line, t("usage.completion"));
  } else program.command("completion").description(t("usage.completion")).argument("<shell>");
}
