/** @module `provision`: from nothing to online: declares a town, converges it and no other, proves it. */
import { stackFile } from "../../outside/stack-file.ts";
import { FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { townOfName } from "../../core/registry/former-environment.ts";
import type { StackFile } from "../../core/registry/port.ts";
import { pinOf } from "../../core/rollout/pins.ts";
import { convergeClients } from "../../verbs/converge-clients.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { updateContext } from "../../wiring/update-context.ts";
import { type AddOptions, add } from "./add.ts";

export interface ProvisionOptions extends Omit<AddOptions, "name"> {
  readonly name?: string;
  readonly wait: boolean;
  readonly json?: boolean;
}

/** `name`: as an argument or by --name. A town that is declared already is gone on with. */
export async function provision(
  console: Console,
  argument: string | undefined,
  options: ProvisionOptions,
): Promise<void> {
  const { wait, json = false, ...given } = options;
  const name = argument ?? options.name;
  if (name === undefined) throw new FleetError("CLIENTS_MISSING");
  const file = await stackFile(options.stack, { commit: options.commit });
  const declared = (await file.read()).clients.find((client) => client.name === name);
  if (declared && !declared.detached) refuseDiffering(name, declared, given);
  else if (declared || given.town !== undefined) await add(console, { ...given, name });
  else await add(console, { ...given, name, town: nameOfTown(console, name) });
  const context = await updateContext(console, options.stack, options.commit);
  await pinNew(file, name, await context.engine.activated());
  await asOperation(
    console,
    file.stack,
    { verb: "provision", request: { client: name }, wait, json },
    async (operation) => {
      const converged = await convergeClients(context, operation, { clients: [name] });
      const client = (await file.read()).clients.find((each) => each.name === name);
      const release = (await context.engine.activated()).get(name);
      // Its failure is told already.
      if (!client || release === undefined || !converged.includes(name)) return;
      const cause = await context.problem(client, release);
      if (cause !== undefined) operation.client(name, "failed", { release, cause });
      else
        operation.line(text("provision.online", console.language, { url: `https://${client.domain}` }), name);
    },
  );
}

/** What citizens read until somebody says otherwise. */
function nameOfTown(console: Console, name: string): string {
  const town = townOfName(name);
  console.progress(text("provision.town", console.language, { town, name }));
  return town;
}

/** Values of a town that is declared are the stack file's: another one is an edit, not a repetition. */
function refuseDiffering(
  name: string,
  declared: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): void {
  for (const key of ["domain", "ip", "email", "town"] as const)
    if (given[key] !== undefined && given[key] !== declared[key])
      throw new FleetError(
        "PROVISION_DIFFERS",
        { option: `--${key}`, got: String(given[key]).slice(0, 100), declared: String(declared[key] ?? "-") },
        { client: name },
      );
}

/** A new town runs what the fleet runs: the stack's release, else the one that most towns run. */
async function pinNew(file: StackFile, name: string, activated: ReadonlyMap<string, string>): Promise<void> {
  const config = await file.read();
  const client = config.clients.find((each) => each.name === name);
  if (!client || pinOf(config, client) !== undefined || activated.has(name)) return;
  const counts = new Map<string, number>();
  for (const release of activated.values()) counts.set(release, (counts.get(release) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const isPinned = config.clients.some(({ release }) => release !== undefined);
  if (most && isPinned)
    await file.editClients((clients) => clients.set(name, "release", most[0]), `Pin ${name} to ${most[0]}`);
}
