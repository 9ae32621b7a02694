/** @module `add`: declares a town, or takes a detached one back. */
import { scanHostKey } from "../../outside/host-key.ts";
import { openOvh } from "../../outside/ovh/client.ts";
import { openSsh } from "../../outside/ssh.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { describe, FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { Names } from "../../core/ovh/answers.ts";
import { addClient, type ShownHostKey } from "../../verbs/registry/add-client.ts";
import { confirm } from "../ask.ts";
import type { Console } from "../console.ts";

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

export async function add(console: Console, options: AddOptions): Promise<void> {
  const { yes = false, commit, stack, sshPort, hostKey, ...request } = options;
  await addClient(
    {
      file: await stackFile(stack, { commit }),
      scanHostKey,
      addressOf,
      confirmHostKey: (shown) => confirmHostKey(console, shown, yes),
      openSsh,
      describe: (error) => describe(error, console.language),
      tell: (key, values) => console.progress(text(key, console.language, values)),
    },
    {
      ...request,
      ...(sshPort === undefined ? {} : { sshPort: Number(sshPort) }),
      // A comment at its end is what `cat …pub` gives; it is no part of the key.
      ...(hostKey === undefined ? {} : { hostKey: hostKey.trim().split(/\s+/).slice(0, 2).join(" ") }),
    },
  );
}

/** Shows a key that was learnt from the network alone, and asks. `yes`: it is taken, and that is told loudly. */
export async function confirmHostKey(console: Console, shown: ShownHostKey, yes: boolean): Promise<boolean> {
  const { client, host, port, hostKey, fingerprint, former } = shown;
  const tell = (key: Parameters<typeof text>[0], values = {}) =>
    console.progress(text(key, console.language, values));
  tell("add.hostKey", { client, host, port, hostKey, fingerprint });
  if (former !== undefined) tell("add.hostKeyFormer", { former });
  if (!yes) return confirm(console, text("add.hostKeyQuestion", console.language));
  tell("add.hostKeyUnasked");
  return true;
}

async function addressOf(serviceName: string): Promise<string> {
  const addresses = await (await openOvh()).get(`/vps/${encodeURIComponent(serviceName)}/ips`, {
    schema: Names,
  });
  const address = addresses.find((each) => /^\d+\.\d+\.\d+\.\d+$/.test(each));
  if (address !== undefined) return address;
  throw new FleetError("ADDRESS_UNKNOWN", { serviceName, got: addresses.join(", ") || "-" });
}
