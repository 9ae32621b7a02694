/** @module Backups of now. */
import { targetOf } from "../core/config/stack.ts";
import { describe } from "../core/errors.ts";
import type { RequestOf } from "../core/operation/request.ts";
import type { Audience } from "../core/ports.ts";
import { chooseClients } from "../core/rollout/choice.ts";
import { openSsh } from "../outside/ssh.ts";
import { stackFile } from "../outside/stack-file.ts";
import { backUp } from "../verbs/back-up.ts";
import type { Operation } from "../verbs/operation.ts";

/** `parallel`: how many towns at once. @throws FleetError of the configuration and the choice */
export async function backUpTowns(
  { language }: Audience,
  stack: string | undefined,
  choice: Parameters<typeof chooseClients>[1],
  parallel: () => number,
): Promise<{
  readonly stack: string;
  readonly request: RequestOf<"backup">;
  work(operation: Operation): Promise<void>;
}> {
  const file = await stackFile(stack, { commit: false });
  const targets = chooseClients((await file.read()).clients, choice, file.stack).map(targetOf);
  const atOnce = parallel();
  const context = { openSsh, describe: (error: Parameters<typeof describe>[0]) => describe(error, language) };
  return {
    stack: file.stack,
    request: { verb: "backup", clients: targets.map(({ client }) => client), parallel: atOnce },
    work: (operation) => backUp(context, operation, targets, atOnce),
  };
}
