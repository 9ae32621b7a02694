/** @module The real effects behind rollouts. */
import { setTimeout } from "node:timers/promises";
import { serverCommand } from "../core/commands/shell.ts";
import { targetOf } from "../core/config/stack.ts";
import { describe, FleetError } from "../core/errors.ts";
import { readAnswer } from "../core/facts/answer.ts";
import { ClientFacts } from "../core/facts/client.ts";
import { questionSeconds, reachSeconds } from "../core/limits.ts";
import { type Language, text } from "../core/messages/catalogue.ts";
import type { Audience } from "../core/ports.ts";
import { openEngine } from "../outside/engine.ts";
import { home, projectFolder } from "../outside/home.ts";
import { get } from "../outside/http.ts";
import { imageBuilder } from "../outside/images/image-builder.ts";
import { readKept, readMigrations } from "../outside/kept-release.ts";
import { keepPartial } from "../outside/partial-release.ts";
import { checkRelease } from "../outside/release-check.ts";
import { pruneReleases } from "../outside/release-pruning.ts";
import { releaseStore } from "../outside/release-store.ts";
import { openSsh } from "../outside/ssh.ts";
import { stackFile } from "../outside/stack-file.ts";
import { keepPresent } from "../outside/suite-source.ts";
import { townProblem } from "../verbs/prove-town.ts";
import type { planRollback, UpdateContext } from "../verbs/update/update.ts";

const shownPaths = 12;

export async function updateContext(
  audience: Audience,
  stack: string | undefined,
  commit: boolean,
): Promise<UpdateContext & Parameters<typeof planRollback>[0]> {
  const file = await stackFile(stack, { commit });
  const { state, cache } = home();
  const store = releaseStore(state);
  const images = imageBuilder(cache, store);
  const project = projectFolder();
  let toldLine = "";
  return {
    file,
    engine: openEngine({ stack: file.stack, project, language: audience.language }),
    unreached: async (client) => {
      try {
        const ssh = await openSsh(targetOf(client));
        await ssh.run("reach", ["true"], { timeoutSeconds: reachSeconds });
      } catch (error) {
        if (error instanceof FleetError) return error;
        throw error;
      }
    },
    problem: async (client, id) => {
      const release = await store.read(id);
      if (!release) return `${id} is not in ${store.folder}`;
      return townProblem({ get }, targetOf(client), client.domain, release);
    },
    former: async (client) => {
      const ssh = await openSsh(targetOf(client));
      const command = serverCommand("facts", "--client", client.name, "--json");
      const { stdout } = await ssh.run("rollback", command, { timeoutSeconds: questionSeconds });
      return readAnswer(ClientFacts, "facts", stdout).former ?? undefined;
    },
    releases: {
      folder: store.folder,
      present: (config) =>
        keepPresent(config, store, (paths) => {
          const line = paths.length > 0 ? leftOutLine(paths, audience.language) : "";
          // A plan that is made again in its turn tells it once.
          if (line && line !== toldLine) audience.progress(line);
          toldLine = line;
        }),
      read: store.read,
      kept: (id) => readKept(store, id),
      named: store.origins.named,
      migrations: (release) => readMigrations(store, release),
      partial: (former, present, parts, { suite }) =>
        keepPartial(store, former, present, parts, suite.imagesAsOf),
    },
    checkRelease: (release, operation) =>
      checkRelease(release, {
        state,
        releases: store,
        images,
        onLine: (line) => operation.line(line),
        signal: operation.cancelled,
      }),
    prune: (running) => pruneReleases({ state, cache, project }, running),
    now: Date.now,
    sleep: async (milliseconds) => {
      await setTimeout(milliseconds);
    },
    describe: (error) => describe(error, audience.language),
    tell: (key, values) => text(key, audience.language, values),
  };
}

/** How many paths of the suite are in no release, and the first of them. */
function leftOutLine(paths: readonly string[], language: Language): string {
  const shown = paths.slice(0, shownPaths).join(", ");
  const names = paths.length > shownPaths ? `${shown}, …` : shown;
  return text("update.leftOut", language, { count: paths.length, names });
}
