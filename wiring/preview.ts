/** @module What an `up` would do, by client. */
import type { Audience } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";
import { pinOf } from "../core/rollout/pins.ts";
import { type ClientChanges, readChanges } from "./changes.ts";
import { updateContext } from "./update-context.ts";

export interface Preview {
  readonly releases: readonly ClientChanges[];
  /** Resources that would be worked on; `-` for what belongs to no client. */
  readonly resources: readonly {
    readonly client: string;
    readonly step: string;
    readonly operation: string;
  }[];
  /** The suite's present release, where a client would run it. */
  readonly present: Release | undefined;
}

export async function previewFleet(audience: Audience, stack: string | undefined): Promise<Preview> {
  const context = await updateContext(audience, stack, false);
  const config = await context.file.read();
  const touched = await context.engine.preview();
  const running = await context.engine.activated();
  const converged = config.clients.filter(({ detached }) => !detached);
  const isPresentWanted = converged.some((client) => pinOf(config, client) === undefined);
  const present = isPresentWanted ? await context.releases.present(config) : undefined;
  const targets = new Map(
    converged.flatMap((client) => {
      const release = pinOf(config, client) ?? present?.id;
      return release === undefined ? [] : [[client.name, release] as const];
    }),
  );
  const releases = await readChanges(targets, running);
  const resources = touched.map(({ client = "-", step, operation }) => ({ client, step, operation }));
  return { releases, resources, present };
}
