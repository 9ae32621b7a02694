/** @module `backup`: a backup of now, on each server that is named. */
import { command } from "../command.ts";
import { asOperation } from "../operation.ts";
import { choiceOptions, integer, jsonOption, stackOption, waitOption } from "../options.ts";

interface BackupOptions {
  readonly client?: string[];
  readonly all?: boolean;
  readonly parallel: string;
  readonly wait: boolean;
  readonly json?: boolean;
  readonly stack?: string;
}

export const backup = command({
  path: "backup",
  group: "towns",
  help: "backup.help",
  options: [
    ...choiceOptions,
    { usage: "--parallel <number>", help: "backup.help.parallel", fallback: "10" },
    jsonOption,
    waitOption,
    stackOption,
  ],
  examples: ["backup --client ville-lyon", "backup --all --parallel 5"],
  async run(console, options: BackupOptions) {
    const { backUpTowns } = await import("../../wiring/back-up.ts");
    const choice = { clients: options.client, all: options.all };
    const { stack, request, work } = await backUpTowns(console, options.stack, choice, () =>
      integer("--parallel", options.parallel, 1, 100),
    );
    const { wait, json = false } = options;
    await asOperation(console, stack, { request, wait, json }, work);
  },
});
