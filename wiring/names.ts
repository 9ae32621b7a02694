/** @module Names that a person may type: of clients and of operations. */
import { home } from "../outside/home.ts";
import { operationJournals } from "../outside/operation-journals.ts";
import { selectedStack } from "../outside/pulumi.ts";
import { stackFile } from "../outside/stack-file.ts";

const newest = 20;

/** @throws FleetError of the stack's file */
export async function knownNames(
  given: string | undefined,
): Promise<{ readonly clients: readonly string[]; readonly operations: readonly string[] }> {
  const stack = given ?? (await selectedStack());
  const { clients } = await (await stackFile(stack, { commit: false })).read();
  const operations = await operationJournals(home().state, stack).list();
  return {
    clients: clients.map(({ name }) => name),
    operations: operations.slice(0, newest).map(({ id }) => id),
  };
}
