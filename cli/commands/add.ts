/** @module `add`: declares a town, or takes a detached one back. */
import type { RequestOf } from "../../core/operation/request.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { confirmHostKey } from "../host-key.ts";
import { asAttended } from "../operation.ts";
import { commitOption, entryOptions, stackOption } from "../options.ts";

export interface AddOptions {
  readonly name: string;
  readonly domain?: string;
  readonly ip?: string;
  readonly ipv6?: string;
  readonly serviceName?: string;
  readonly email?: string;
  readonly town?: string;
  readonly reach?: string;
  readonly sshUser?: string;
  readonly sshPort?: string;
  readonly hostKey?: string;
  readonly canary?: boolean;
  readonly dns?: "managed" | "external";
  readonly check?: boolean;
  readonly yes?: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export const add = command({
  path: "add",
  group: "registry",
  help: "add.help",
  options: [
    { usage: "--name <name>", help: "add.help.name", isRequired: true },
    ...entryOptions,
    { usage: "--check", help: "add.help.check" },
    { usage: "--yes", help: "add.help.yes" },
    commitOption,
    stackOption,
  ],
  examples: [
    "add --name ville-lyon --domain ville-lyon.geoclic.fr --ip 51.210.42.100 --email admin@ville-lyon.fr --town 'Mairie de Lyon'",
    "add --name ville-lyon",
  ],
  run: (console, options: AddOptions) => declareTown(console, options),
});

/** As an operation of its own. */
export async function declareTown(console: Console, options: AddOptions): Promise<void> {
  const { yes = false, commit, stack, sshPort, hostKey, ...entry } = options;
  const request: RequestOf<"add"> = {
    verb: "add",
    ...entry,
    ...(sshPort === undefined ? {} : { sshPort: Number(sshPort) }),
    // A comment at its end is what `cat …pub` gives; it is no part of the key.
    ...(hostKey === undefined ? {} : { hostKey: hostKey.trim().split(/\s+/).slice(0, 2).join(" ") }),
  };
  await asAttended(console, stack, request, async (attended) => {
    const { addTown } = await import("../../wiring/registry.ts");
    await addTown(attended, { stack, commit }, request, (shown) => confirmHostKey(attended, shown, yes));
  });
}
