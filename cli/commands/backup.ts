/** @module `backup`: a backup of now, on each server that is named. */
import { openSsh } from "../../outside/ssh.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { targetOf } from "../../core/config/stack.ts";
import { describe } from "../../core/errors.ts";
import { chooseClients } from "../../core/rollout/choice.ts";
import { backUp } from "../../verbs/back-up.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { integer } from "../options.ts";

export interface BackupOptions {
  readonly client?: string[];
  readonly all?: boolean;
  readonly parallel: string;
  readonly wait: boolean;
  readonly json?: boolean;
  readonly stack?: string;
}

export async function backup(console: Console, options: BackupOptions): Promise<void> {
  const file = await stackFile(options.stack, { commit: false });
  const { clients } = await file.read();
  const chosen = chooseClients(clients, { clients: options.client, all: options.all }, file.stack);
  const parallel = integer("--parallel", options.parallel, 1, 100);
  const targets = chosen.map(targetOf);
  const request = { clients: targets.map(({ client }) => client) };
  await asOperation(
    console,
    file.stack,
    { verb: "backup", request, wait: options.wait, json: options.json ?? false },
    (operation) =>
      backUp(
        { openSsh, describe: (error) => describe(error, console.language) },
        operation,
        targets,
        parallel,
      ),
  );
}
