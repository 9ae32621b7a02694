/** @module `retire`: a town ends, after its last backup is at home. */
import { clientName } from "../../core/config/stack.ts";
import { FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { RequestOf } from "../../core/operation/request.ts";
import { controllingTerminal, secretLine, typed } from "../ask.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { asAttended } from "../operation.ts";
import { commitOption, stackOption } from "../options.ts";

interface RetireOptions {
  readonly withoutBackup?: boolean;
  readonly up: boolean;
  readonly endContract?: boolean;
  /** Refused: a command line can be read by others. */
  readonly token?: string;
  readonly tokenStdin?: boolean;
  readonly yes?: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export const retire = command({
  path: "retire",
  group: "registry",
  help: "retire.help",
  arguments: [{ usage: "<name>" }],
  options: [
    { usage: "--without-backup", help: "retire.help.withoutBackup" },
    { usage: "--no-up", help: "retire.help.noUp" },
    { usage: "--end-contract", help: "retire.help.endContract" },
    { usage: "--token <token>", help: "retire.help.token", isHidden: true },
    { usage: "--token-stdin", help: "retire.help.token" },
    { usage: "--yes", help: "retire.help.yes" },
    commitOption,
    stackOption,
  ],
  examples: ["retire ville-lyon", "retire ville-lyon --end-contract"],
  async run(console, options: RetireOptions, name: string) {
    if (options.token !== undefined) throw new FleetError("TOKEN_SHOWN");
    // The name is used as a folder's name below.
    if (!clientName.safeParse(name).success)
      throw new FleetError("NAME_INVALID", { name: JSON.stringify(name.slice(0, 60)) });
    const { withoutBackup = false, up, endContract = false } = options;
    const request = { verb: "retire", name, withoutBackup, up, endContract } as const;
    await asAttended(console, options.stack, request, (attended) => run(attended, request, options));
  },
});

async function run(
  console: Console,
  { verb: _, ...request }: RequestOf<"retire">,
  options: RetireOptions,
): Promise<void> {
  const { yes = false } = options;
  const token = options.tokenStdin ? await secretLine(text("retire.token", console.language)) : undefined;
  const asked = options.tokenStdin ? controllingTerminal() : undefined;
  const ask = (key: Parameters<typeof text>[0], expected: string, values = {}) =>
    typed(console, text(key, console.language, values), expected, asked);
  const { retireTown } = await import("../../wiring/retire.ts");
  await retireTown(
    console,
    options,
    { ...request, ...(token === undefined ? {} : { token }) },
    {
      confirm: async (expected) => yes || ask("retire.question", expected),
      confirmGone: (expected, observed) => ask("retire.questionGone", expected, { observed }),
      confirmEnd: (serviceName) => ask("retire.questionEnd", serviceName, { serviceName }),
    },
  );
}
