/** @module `provision`: from nothing to online: declares a town, converges it and no other, proves it. */
import { FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { townOfName } from "../../core/registry/former-environment.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { commitOption, entryOptions, jsonOption, stackOption, waitOption } from "../options.ts";
import { type AddOptions, declareTown } from "./add.ts";

interface ProvisionOptions extends Omit<AddOptions, "name"> {
  readonly name?: string;
  readonly wait: boolean;
  readonly json?: boolean;
}

/** The town's name comes as an argument or by --name. A town that is declared already is gone on with. */
export const provision = command({
  path: "provision",
  group: "towns",
  help: "provision.help",
  arguments: [{ usage: "[name]", help: "provision.help.name" }],
  options: [
    { usage: "--name <name>", help: "provision.help.name" },
    ...entryOptions,
    { usage: "--yes", help: "add.help.yes" },
    jsonOption,
    waitOption,
    commitOption,
    stackOption,
  ],
  examples: [
    "provision --name ville-lyon --domain ville-lyon.geoclic.fr --ip 51.210.42.100 --email admin@ville-lyon.fr --town 'Mairie de Lyon'",
    "provision ville-lyon",
  ],
  run: (console, options: ProvisionOptions, argument: string | undefined) => run(console, argument, options),
});

async function run(console: Console, argument: string | undefined, options: ProvisionOptions): Promise<void> {
  const { wait, json = false, ...given } = options;
  const name = argument ?? options.name;
  if (name === undefined) throw new FleetError("CLIENTS_MISSING");
  const { declaredTown, openProvision, refuseDiffering } = await import("../../wiring/provision.ts");
  const declared = await declaredTown(options, name);
  if (declared && !declared.detached) refuseDiffering(name, declared, given);
  else {
    const town = given.town ?? (declared ? undefined : nameOfTown(console, name));
    const entry = { ...given, name, ...(town === undefined ? {} : { town }) };
    await declareTown(console, entry);
  }
  const { stack, work } = await openProvision(console, options, name);
  const request = { verb: "provision", client: name } as const;
  await asOperation(console, stack, { request, wait, json }, work);
}

/** What citizens read until somebody says otherwise. */
function nameOfTown(console: Console, name: string): string {
  const town = townOfName(name);
  console.progress(text("provision.town", console.language, { town, name }));
  return town;
}
