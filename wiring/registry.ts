/** @module The registry of towns as every door changes it: add, remove, import. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { parseAdapter } from "../core/config/adapter.ts";
import type { FleetConfig } from "../core/config/stack.ts";
import { describe, FleetError } from "../core/errors.ts";
import { text } from "../core/messages/catalogue.ts";
import { Names } from "../core/ovh/answers.ts";
import type { Audience } from "../core/ports.ts";
import { resolveDomain } from "../outside/dns.ts";
import { scanHostKey } from "../outside/host-key.ts";
import { openOvh } from "../outside/ovh/client.ts";
import { encryptSecrets } from "../outside/pulumi.ts";
import { openSsh } from "../outside/ssh.ts";
import { stackFile } from "../outside/stack-file.ts";
import { addClient, type ShownHostKey } from "../verbs/registry/add-client.ts";
import { type Found, importRegistry } from "../verbs/registry/import-registry.ts";
import { removeClient } from "../verbs/registry/remove-client.ts";

export type { Found, ShownHostKey };

interface Place {
  readonly stack?: string | undefined;
  readonly commit: boolean;
}

const checkout = resolve(import.meta.dirname, "..");

/** @throws FleetError as `addClient` */
export async function addTown(
  audience: Audience,
  { stack, commit }: Place,
  request: Parameters<typeof addClient>[1],
  confirmHostKey: Parameters<typeof addClient>[0]["confirmHostKey"],
): Promise<void> {
  const file = await stackFile(stack, { commit });
  await addClient({ file, scanHostKey, addressOf, confirmHostKey, openSsh, ...told(audience) }, request);
}

/** @throws FleetError as `removeClient` */
export async function removeTown(
  audience: Audience,
  { stack, commit }: Place,
  name: string,
  confirm: Parameters<typeof removeClient>[0]["confirm"],
): Promise<void> {
  const file = await stackFile(stack, { commit });
  await removeClient({ file, confirm, tell: told(audience).tell }, name);
}

/** `path`: of the predecessor's clients.conf. @throws FleetError `IMPORT_FILE`, and as `importRegistry` */
export async function importTowns(
  audience: Audience,
  { stack, commit }: Place,
  path: string,
  request: Omit<Parameters<typeof importRegistry>[1], "text">,
  asked: Pick<Parameters<typeof importRegistry>[0], "show" | "confirmHostKeys">,
): Promise<void> {
  const file = await stackFile(stack, { commit });
  const registry = await readFile(path, "utf8").catch((error: Error) => {
    const shown = (word: string) => word.replace(/\p{Cc}/gu, "?");
    throw new FleetError("IMPORT_FILE", {
      file: JSON.stringify(path.slice(0, 200)),
      cause: shown(error.message).slice(0, 300),
    });
  });
  const { dnsServers } = await file.read();
  await importRegistry(
    {
      ...asked,
      ...told(audience),
      ...{ file, scanHostKey, openSsh, secretVariables },
      ownAddresses: () =>
        Object.values(networkInterfaces()).flatMap((own) => own?.map(({ address }) => address) ?? []),
      resolve: async (domain) => (await resolveDomain(domain, dnsServers)).a,
      encrypt: (secrets) => encryptSecrets(file.stack, file.path, secrets),
    },
    { ...request, text: registry },
  );
}

function told({ language, progress }: Audience) {
  return {
    describe: (error: FleetError) => describe(error, language),
    tell: (key: Parameters<typeof text>[0], values?: Parameters<typeof text>[2]) =>
      progress(text(key, language, values)),
  };
}

async function secretVariables({ suite }: FleetConfig): Promise<string[]> {
  const path = resolve(checkout, suite.adapter);
  const content = await readFile(path, "utf8").catch((error: Error) => {
    throw new FleetError("ADAPTER_INVALID", { file: path, problems: error.message });
  });
  return Object.keys(parseAdapter(parseYaml(content), path).env.generated);
}

async function addressOf(serviceName: string): Promise<string> {
  const addresses = await (await openOvh()).get(`/vps/${encodeURIComponent(serviceName)}/ips`, {
    schema: Names,
  });
  const address = addresses.find((each) => /^\d+\.\d+\.\d+\.\d+$/.test(each));
  if (address !== undefined) return address;
  throw new FleetError("ADDRESS_UNKNOWN", { serviceName, got: addresses.join(", ") || "-" });
}
