/** @module `import`: the predecessor's clients.conf becomes clients of the stack. */
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { resolveDomain } from "../../outside/dns.ts";
import { scanHostKey } from "../../outside/host-key.ts";
import { encryptSecrets } from "../../outside/pulumi.ts";
import { openSsh } from "../../outside/ssh.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { parseAdapter } from "../../core/config/adapter.ts";
import type { FleetConfig } from "../../core/config/stack.ts";
import { describe, FleetError } from "../../core/errors.ts";
import { text } from "../../core/messages/catalogue.ts";
import { type Found, importRegistry } from "../../verbs/registry/import-registry.ts";
import { confirm } from "../ask.ts";
import type { Console } from "../console.ts";
import { table } from "../table.ts";

export interface ImportOptions {
  readonly email?: string;
  readonly townFromName?: boolean;
  readonly skipRefused?: boolean;
  readonly dryRun?: boolean;
  readonly reach: string;
  readonly yes?: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

const checkout = resolve(import.meta.dirname, "../..");

export async function importClients(console: Console, path: string, options: ImportOptions): Promise<void> {
  const { yes = false, commit, stack, ...request } = options;
  const { language } = console;
  const file = await stackFile(stack, { commit });
  const registry = await readFile(path, "utf8").catch((error: Error) => {
    throw new FleetError("IMPORT_FILE", {
      file: JSON.stringify(path.slice(0, 200)),
      cause: plain(error.message).slice(0, 300),
    });
  });
  const { dnsServers } = await file.read();
  await importRegistry(
    {
      file,
      scanHostKey,
      openSsh,
      ownAddresses: () =>
        Object.values(networkInterfaces()).flatMap((own) => own?.map(({ address }) => address) ?? []),
      resolve: async (domain) => (await resolveDomain(domain, dnsServers)).a,
      secretVariables,
      encrypt: (secrets) => encryptSecrets(file.stack, file.path, secrets),
      show: (found) => console.print(shownLines(found, console)),
      confirmHostKeys: async (found) => {
        console.progress(text("import.keys", language));
        console.progress(shownKeys(found, console));
        if (!yes) return confirm(console, text("import.question", language));
        console.progress(text("import.unasked", language));
        return true;
      },
      describe: (error) => describe(error, language),
      tell: (key, values) => console.progress(text(key, language, values)),
    },
    { ...request, text: registry },
  );
}

async function secretVariables({ suite }: FleetConfig): Promise<string[]> {
  const path = resolve(checkout, suite.adapter);
  const content = await readFile(path, "utf8").catch((error: Error) => {
    throw new FleetError("ADAPTER_INVALID", { file: path, problems: error.message });
  });
  return Object.keys(parseAdapter(parseYaml(content), path).env.generated);
}

function shownLines(found: readonly Found[], { language }: Console): string {
  const head = ["line", "client", "domain", "ip", "verdict", "reason"] as const;
  const rows = found.map(({ line, problem }) => [
    String(line.line),
    plain(line.name),
    plain(line.domain),
    plain(line.ip),
    text(`verdict.${problem ? "refused" : line.verdict}`, language),
    problem ? describe(problem, language) : reasonOf(line.reason, language),
  ]);
  return table(
    head.map((name) => text(`column.${name}`, language)),
    rows,
  );
}

function reasonOf(reason: Found["line"]["reason"], language: Console["language"]): string {
  return reason ? text(`reason.${reason.kind}`, language, { detail: plain(reason.detail) }) : "";
}

function shownKeys(found: readonly Found[], { language }: Console): string {
  const head = ["client", "ip", "fingerprint"] as const;
  return table(
    head.map((name) => text(`column.${name}`, language)),
    found.flatMap(({ line, key }) => (key ? [[line.name, line.ip, key.fingerprint]] : [])),
  );
}

/** What somebody wrote into a file, without what would move the cursor. */
function plain(word: string): string {
  return word.replace(/\p{Cc}/gu, "?").slice(0, 200);
}
