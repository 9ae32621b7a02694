/** @module `retire`: ends a town, step by step, and goes on where it was cut. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fleetKeys } from "../../outside/agent.ts";
import { download } from "../../outside/download.ts";
import { withFileLock } from "../../outside/file-lock.ts";
import { home, projectFolder } from "../../outside/home.ts";
import { get } from "../../outside/http.ts";
import { openOvh } from "../../outside/ovh/client.ts";
import { clientResources, converge, readOutput, unprotectClient } from "../../outside/pulumi.ts";
import { releaseStore } from "../../outside/release-store.ts";
import { retirementJournal } from "../../outside/retirement-journal.ts";
import { openSsh } from "../../outside/ssh.ts";
import { stackFile } from "../../outside/stack-file.ts";
import { readReleases } from "../../outside/suite-source.ts";
import { archiveFolder } from "../../outside/tar.ts";
import { installScripts } from "../../core/commands/scripts.ts";
import { type ClientConfig, reachOf } from "../../core/config/stack.ts";
import { describe, FleetError } from "../../core/errors.ts";
import { reachSeconds } from "../../core/limits.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { Ssh } from "../../core/ports.ts";
import { retireClient } from "../../verbs/retire/retire-client.ts";
import { controllingTerminal, secretLine, typed } from "../ask.ts";
import type { Console } from "../console.ts";

export interface RetireOptions {
  readonly withoutBackup?: boolean;
  readonly up: boolean;
  readonly endContract?: boolean;
  /** Refused: a command line can be read by others. */
  readonly token?: string;
  readonly tokenStdin?: boolean;
  readonly yes?: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export async function retire(console: Console, name: string, options: RetireOptions): Promise<void> {
  const { yes = false, commit, stack, withoutBackup = false, up, endContract = false } = options;
  if (options.token !== undefined) throw new FleetError("TOKEN_SHOWN");
  // The name becomes a folder's.
  if (!/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name))
    throw new FleetError("NAME_INVALID", { name: JSON.stringify(name.slice(0, 60)) });
  const token = options.tokenStdin ? await secretLine(text("retire.token", console.language)) : undefined;
  const asked = options.tokenStdin ? controllingTerminal() : undefined;
  const file = await stackFile(stack, { commit });
  const { state } = home();
  const journal = retirementJournal(state, name);
  await mkdir(journal.folder, { recursive: true, mode: 0o700 });
  await withFileLock(join(journal.folder, "journal.jsonl"), () =>
    retireClient(
      {
        file,
        journal,
        confirm: async (expected) =>
          yes || typed(console, text("retire.question", console.language), expected, asked),
        confirmGone: (expected, observed) =>
          typed(console, text("retire.questionGone", console.language, { observed }), expected, asked),
        seen: async ({ domain, ...client }) => {
          const request = {
            protocol: "https",
            host: reachOf(client),
            domain,
            path: "/",
            timeoutSeconds: reachSeconds,
          } as const;
          return get(request).then(
            ({ status }) => ({ answers: true, said: `HTTP ${status}` }),
            (error: Error) => ({ answers: false, said: error.message }),
          );
        },
        confirmEnd: (serviceName) =>
          typed(console, text("retire.questionEnd", console.language, { serviceName }), serviceName, asked),
        openSsh,
        installScripts: sendScripts,
        download: (target, command, path) => download(target, "retire", command, path),
        fleetKeys: async () => {
          const own = await fleetKeys();
          return own.length > 0 ? own : [String(await readOutput(file.stack, "fleetKey"))];
        },
        unprotect: (client) => unprotectClient(file.stack, client),
        converge: async () => {
          const project = projectFolder();
          await converge({ stack: file.stack, project, onProgress: (line) => console.progress(line) });
        },
        isInState: async (client) => (await clientResources(file.stack, client)).length > 0,
        openOvh: () => openOvh(),
        now: Date.now,
        sleep: async (milliseconds) => {
          await setTimeout(milliseconds);
        },
        describe: (error) => describe(error, console.language),
        tell: (key, values) => console.progress(text(key, console.language, values)),
      },
      { name, withoutBackup, up, endContract, ...(token === undefined ? {} : { token }) },
    ),
  );

  async function sendScripts(client: ClientConfig, ssh: Ssh): Promise<void> {
    const config = await file.read();
    const release = (await readReleases(config)).get(client.release ?? config.release ?? "present");
    if (!release) throw new RangeError(`the release of ${name} was not read`);
    const archive = await archiveFolder(releaseStore(state).scriptsPath(release.scripts));
    await ssh.run("retire", installScripts(release.scripts), { input: archive });
  }
}
