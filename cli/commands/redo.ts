/** @module Every command of some clients run again, as an operation: what puts right what drifted. */
import { convergeClients } from "../../verbs/converge-clients.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { updateContext } from "../../wiring/update-context.ts";

export async function redo(
  console: Console,
  stack: string | undefined,
  clients: readonly string[],
): Promise<void> {
  const context = await updateContext(console, stack, false);
  await asOperation(
    console,
    context.file.stack,
    { verb: "drift", request: { clients, fix: true }, wait: true },
    async (operation) => {
      await convergeClients(context, operation, { clients, isRedone: true });
    },
  );
}
