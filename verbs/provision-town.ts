/** @module `provision`: a declared town is converged, and no other; then it is proven. */
import type { ClientConfig } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import type { StackFile } from "../core/registry/port.ts";
import { pinOf } from "../core/rollout/pins.ts";
import { convergeClients } from "./converge-clients.ts";
import type { Operation } from "./operation.ts";
import type { UpdateContext } from "./update/update.ts";

/**
 * Values of a town that is declared are the stack file's: another one is an edit, not a repetition.
 * @throws FleetError `PROVISION_DIFFERS`
 */
export function refuseDiffering(
  name: string,
  declared: Readonly<Record<string, unknown>>,
  given: Readonly<Record<string, unknown>>,
): void {
  for (const key of ["domain", "ip", "email", "town"] as const)
    if (given[key] !== undefined && given[key] !== declared[key])
      throw new FleetError(
        "PROVISION_DIFFERS",
        { option: `--${key}`, got: String(given[key]).slice(0, 100), declared: String(declared[key] ?? "-") },
        { client: name },
      );
}

/** @throws FleetError as `convergeClients` */
export async function provisionTown(
  context: UpdateContext,
  operation: Operation,
  name: string,
  problem: (client: ClientConfig, release: string) => Promise<string | undefined>,
): Promise<void> {
  const { file, engine, tell } = context;
  await pinNew(file, name, await engine.activated());
  const converged = await convergeClients(context, operation, { clients: [name] });
  const client = (await file.read()).clients.find((each) => each.name === name);
  const release = (await engine.activated()).get(name);
  // Its failure is told already.
  if (!client || release === undefined || !converged.includes(name)) return;
  const cause = await problem(client, release);
  if (cause !== undefined) operation.client(name, "failed", { release, cause });
  else operation.line(tell("provision.online", { url: `https://${client.domain}` }), name);
}

/** A new town runs what the fleet runs: the stack's release, else the one that most towns run. */
async function pinNew(file: StackFile, name: string, activated: ReadonlyMap<string, string>): Promise<void> {
  const config = await file.read();
  const client = config.clients.find((each) => each.name === name);
  if (!client || pinOf(config, client) !== undefined || activated.has(name)) return;
  const counts = new Map<string, number>();
  for (const release of activated.values()) counts.set(release, (counts.get(release) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  const isPinned = config.clients.some(({ release }) => release !== undefined);
  if (most && isPinned)
    await file.editClients((clients) => clients.set(name, "release", most[0]), `Pin ${name} to ${most[0]}`);
}
