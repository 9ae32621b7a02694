/** @module `retire`, with the real effects. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { installScripts } from "../core/commands/scripts.ts";
import { type ClientConfig, reachOf } from "../core/config/stack.ts";
import { describe } from "../core/errors.ts";
import { reachSeconds } from "../core/limits.ts";
import { text } from "../core/messages/catalogue.ts";
import type { Audience, Ssh } from "../core/ports.ts";
import type { StackFile } from "../core/registry/port.ts";
import { fleetKeys } from "../outside/agent.ts";
import { download } from "../outside/download.ts";
import { withFileLock } from "../outside/file-lock.ts";
import { home, projectFolder } from "../outside/home.ts";
import { get } from "../outside/http.ts";
import { openOvh } from "../outside/ovh/client.ts";
import { clientResources, converge, readOutput, unprotectClient } from "../outside/pulumi.ts";
import { releaseStore } from "../outside/release-store.ts";
import { retirementJournal } from "../outside/retirement-journal.ts";
import { openSsh } from "../outside/ssh.ts";
import { stackFile } from "../outside/stack-file.ts";
import { readReleases } from "../outside/suite-source.ts";
import { archiveFolder } from "../outside/tar.ts";
import { retireClient } from "../verbs/retire/retire-client.ts";

type Context = Parameters<typeof retireClient>[0];

/** What a person is asked on the way. */
export type RetireQuestions = Pick<Context, "confirm" | "confirmGone" | "confirmEnd">;

/** `request.name` was checked: it is used as a folder's name. @throws FleetError as `retireClient` */
export async function retireTown(
  audience: Audience,
  { stack, commit }: { readonly stack?: string | undefined; readonly commit: boolean },
  request: Parameters<typeof retireClient>[1],
  questions: RetireQuestions,
): Promise<void> {
  const { language, progress } = audience;
  const file = await stackFile(stack, { commit });
  const journal = retirementJournal(home().state, request.name);
  await mkdir(journal.folder, { recursive: true, mode: 0o700 });
  await withFileLock(join(journal.folder, "journal.jsonl"), () =>
    retireClient(
      {
        ...questions,
        ...{ file, journal, openSsh, openOvh: () => openOvh() },
        seen: async ({ domain, ...client }) =>
          get({
            ...{ protocol: "https", host: reachOf(client), domain, path: "/" },
            timeoutSeconds: reachSeconds,
          }).then(
            ({ status }) => ({ answers: true, said: `HTTP ${status}` }),
            (error: Error) => ({ answers: false, said: error.message }),
          ),
        installScripts: (client, ssh) => sendScripts(file, client, ssh),
        download: (target, command, path) => download(target, "retire", command, path),
        fleetKeys: async () => {
          const own = await fleetKeys();
          return own.length > 0 ? own : [String(await readOutput(file.stack, "fleetKey"))];
        },
        unprotect: (client) => unprotectClient(file.stack, client),
        converge: async () => {
          await converge({ stack: file.stack, project: projectFolder(), onProgress: progress });
        },
        isInState: async (client) => (await clientResources(file.stack, client)).length > 0,
        now: Date.now,
        sleep: async (milliseconds) => {
          await setTimeout(milliseconds);
        },
        describe: (error) => describe(error, language),
        tell: (key, values) => progress(text(key, language, values)),
      },
      request,
    ),
  );
}

async function sendScripts(file: StackFile, client: ClientConfig, ssh: Ssh): Promise<void> {
  const config = await file.read();
  const release = (await readReleases(config)).get(client.release ?? config.release ?? "present");
  if (!release) throw new RangeError(`the release of ${client.name} was not read`);
  const archive = await archiveFolder(releaseStore(home().state).scriptsPath(release.scripts));
  await ssh.run("retire", installScripts(release.scripts), { input: archive });
}
