/** @module `provision`, ready to be carried out. */
import type { ClientConfig } from "../core/config/stack.ts";
import type { Audience } from "../core/ports.ts";
import { stackFile } from "../outside/stack-file.ts";
import type { Operation } from "../verbs/operation.ts";
import { provisionTown } from "../verbs/provision-town.ts";
import { updateContext } from "./update-context.ts";

export { refuseDiffering } from "../verbs/provision-town.ts";

interface Place {
  readonly stack?: string;
  readonly commit: boolean;
}

/** The town's entry, where there is one. @throws FleetError of the configuration */
export async function declaredTown(
  { stack, commit }: Place,
  name: string,
): Promise<ClientConfig | undefined> {
  return (await (await stackFile(stack, { commit })).read()).clients.find((client) => client.name === name);
}

export async function openProvision(
  audience: Audience,
  { stack, commit }: Place,
  name: string,
): Promise<{ readonly stack: string; work(operation: Operation): Promise<void> }> {
  const context = await updateContext(audience, stack, commit);
  return {
    stack: context.file.stack,
    work: (operation) => provisionTown(context, operation, name, context.problem),
  };
}
