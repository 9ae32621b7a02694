/** @module `ssh-key`: which key opens the servers, and its rotation. */
import { FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { confirm } from "../ask.ts";
import { type CommandSpec, command } from "../command.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { commitOption, integer, jsonOption, waitOption, yesOption } from "../options.ts";
import { table } from "../table.ts";

interface KeyOptions {
  /** Stack that holds the key. */
  readonly stack?: string;
  readonly json?: boolean;
}

export interface RotateOptions extends KeyOptions {
  readonly parallel: string;
  readonly yes?: boolean;
  readonly wait: boolean;
  readonly commit: boolean;
  /** Id of the operation that it goes on with. */
  readonly resumes?: string;
}

const masterOption = { usage: "--stack <name>", help: "sshKey.help.stack" } as const;

const sshKey: CommandSpec = {
  path: "ssh-key",
  group: "tool",
  help: "sshKey.help",
  examples: ["ssh-key show", "ssh-key rotate"],
};

const showKey = command({
  path: "ssh-key show",
  help: "sshKey.help.show",
  options: [jsonOption, masterOption],
  examples: ["ssh-key show"],
  run: (console, options: KeyOptions) => show(console, options),
});

const rotateKey = command({
  path: "ssh-key rotate",
  help: "sshKey.help.rotate",
  options: [
    { usage: "--parallel <number>", help: "sshKey.help.parallel", fallback: "10" },
    yesOption,
    jsonOption,
    waitOption,
    commitOption,
    masterOption,
  ],
  examples: ["ssh-key rotate --parallel 5"],
  run: (console, options: RotateOptions) => rotate(console, options),
});

export const keyCommands = [sshKey, showKey, rotateKey] as const;

async function show(console: Console, options: KeyOptions): Promise<void> {
  const [{ masterOf }, { readKeys }] = await Promise.all([
    import("../../wiring/agent.ts"),
    import("../../wiring/keys.ts"),
  ]);
  const stack = masterOf(options.stack);
  const { keys, fleets: inForce, unknown } = await readKeys(stack, console);
  if (options.json) return console.json({ stack, keys, fleets: inForce, unknownStacks: unknown });
  const t = (key: Parameters<typeof text>[0]) => text(key, console.language);
  console.print(
    table(
      [t("column.key"), t("column.state"), t("column.fingerprint")],
      keys.map(({ generation, state, fingerprint }) => [
        String(generation),
        t(`sshKey.${state}`),
        fingerprint,
      ]),
    ),
  );
  for (const { publicKey } of keys) console.print(publicKey);
  for (const { stack: name, clients } of inForce) console.print(`${name}: ${clients.join(", ") || "-"}`);
}

export async function rotate(console: Console, options: RotateOptions): Promise<void> {
  const parallel = integer("--parallel", options.parallel, 1, 200);
  const [{ masterOf }, { openRotation }] = await Promise.all([
    import("../../wiring/agent.ts"),
    import("../../wiring/keys.ts"),
  ]);
  const { commit, wait, json = false, resumes } = options;
  const stack = masterOf(options.stack);
  const rotation = await openRotation(console, stack, commit);
  const question = text("sshKey.question", console.language, { count: rotation.count });
  if (!options.yes && !(await confirm(console, question))) throw new FleetError("NOT_CONFIRMED_ROLLOUT");
  const request = { verb: "ssh-key rotate", stack, parallel, commit } as const;
  const asked = { request, wait, json, ...(resumes === undefined ? {} : { resumes }) };
  await rotation.rotate(parallel, (fleet, work) => asOperation(console, fleet, asked, work));
}
