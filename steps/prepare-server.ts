/** @module First contact with a server: is it ours to set up, and does it have the scripts? */

import { installScripts } from "../core/commands/scripts.ts";
import { FleetError } from "../core/errors.ts";
import { askServer, checkServer, readServer } from "../core/facts/server.ts";
import { restrictKeys } from "../core/keys/authorized-keys.ts";
import { commandSeconds, inspectionSeconds } from "../core/limits.ts";
import type { StepContext } from "../core/ports.ts";
import { type StepInput, sshTarget } from "../core/step/table.ts";

const step = "server";

/** @throws FleetError of the connection, `SUDO_MISSING`, `OS_UNSUPPORTED` or `DISK_FULL` */
export async function prepareServer(context: StepContext, input: StepInput<"server">): Promise<void> {
  try {
    await prepare(context, input);
  } catch (error) {
    throw error instanceof FleetError ? error.at({ client: input.client, step }) : error;
  }
}

async function prepare(context: StepContext, input: StepInput<"server">): Promise<void> {
  const ssh = await context.openSsh(sshTarget(input));
  const { stdout } = await ssh.run(step, askServer, { timeoutSeconds: inspectionSeconds });
  const facts = readServer(stdout);
  checkServer(input.host, facts);
  context.report(`${facts.prettyName}, ${facts.freeMiB} MiB free`);
  const keys = await context.fleetKeys();
  if (keys.length > 0) await ssh.run(step, restrictKeys(keys), { timeoutSeconds: inspectionSeconds });
  if (facts.scripts === input.scripts && facts.areScriptsWhole && !context.isRepair) return;
  const archive = await context.archive(context.releases.scriptsPath(input.scripts));
  await ssh.run(step, installScripts(input.scripts), { input: archive, timeoutSeconds: commandSeconds });
  context.report(`scripts ${input.scripts} installed`);
}
