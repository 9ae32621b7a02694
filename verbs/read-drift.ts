/** @module Compares every server with what is declared, all at once; changes nothing. */

import pMap from "p-map";
import { serverCommand, withinSeconds } from "../core/commands/shell.ts";
import type { SshTarget } from "../core/commands/ssh.ts";
import type { FleetConfig } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import { readAnswer } from "../core/facts/answer.ts";
import {
  DriftAnswer,
  type DriftClient,
  expectedServer,
  type Finding,
  type HeldRelease,
} from "../core/facts/drift.ts";
import { questionSeconds } from "../core/limits.ts";
import { isReleaseId, serverPaths } from "../core/naming.ts";
import type { StepContext } from "../core/ports.ts";
import type { TreeEntry } from "../core/release/tree.ts";

/** A comparison keeps a server busy for seconds, and this machine with what it answers. */
const serversAtOnce = 20;

const step = "drift";
const seconds = 120;

export type DriftContext = Pick<StepContext, "openSsh" | "releases" | "fleetKeys"> & {
  /** Files of a folder with their hashes. */
  readTree(folder: string): Promise<readonly TreeEntry[]>;
};

export interface ClientDrift {
  readonly name: string;
  readonly findings: readonly Finding[];
  /** Why it could not be compared. */
  readonly error?: FleetError;
}

/** One entry a client, in the order given. Never throws for a client's failure. */
export async function readDrift(
  context: DriftContext,
  clients: readonly (DriftClient & { readonly target: SshTarget })[],
  fleet: Pick<FleetConfig, "schedules">,
): Promise<ClientDrift[]> {
  const keys = await context.fleetKeys();
  const held = new Map<string, Promise<HeldRelease | undefined>>();
  return pMap(clients, clientDrift, { concurrency: serversAtOnce });

  async function clientDrift(client: (typeof clients)[number]): Promise<ClientDrift> {
    const { target } = client;
    try {
      const ssh = await context.openSsh(target);
      const { stdout } = await ssh.run(step, ["readlink", serverPaths.current], {
        timeoutSeconds: questionSeconds,
        statuses: [0, 1],
      });
      const id = stdout.trim().split("/").at(-1) ?? "";
      const running = await hold(isReleaseId(id) ? id : client.desired.id);
      const expected = expectedServer(client, running, fleet, keys);
      const command = serverCommand("drift", "--client", target.client, "--json");
      const answer = await ssh.run(step, withinSeconds(seconds, command), {
        input: JSON.stringify(expected),
        timeoutSeconds: seconds,
      });
      const { findings } = readAnswer(DriftAnswer, "drift", answer.stdout);
      return { name: target.client, findings: running ? findings : [notHeld(id), ...findings] };
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      return { name: target.client, findings: [], error };
    }
  }

  /** Read once for all towns that run it. */
  function hold(id: string): Promise<HeldRelease | undefined> {
    const known = held.get(id) ?? read(id);
    held.set(id, known);
    return known;
  }

  async function read(id: string): Promise<HeldRelease | undefined> {
    const { releases, readTree } = context;
    const release = await releases.read(id);
    if (!release) return undefined;
    const [tree, scripts] = await Promise.all([
      readTree(releases.path(id)),
      readTree(releases.scriptsPath(release.scripts)),
    ]);
    return { release, tree, scripts };
  }

  function notHeld(id: string): Finding {
    const detail = `not in ${context.releases.folder}: its files were not compared`;
    return { area: "release", item: id, kind: "changed", detail };
  }
}
