/** @module Every command of some clients run again, as an operation: what puts right what drifted. */
import { convergeClients } from "../../operations/converge-clients.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { rolloutContext } from "../rollout-context.ts";

export async function redo(
  console: Console,
  stack: string | undefined,
  clients: readonly string[],
): Promise<void> {
  const context = await rolloutContext(console, stack, false);
  await asOperation(
    console,
    context.file.stack,
    { verb: "drift", request: { clients, fix: true }, wait: true },
    async (operation) => {
      await convergeClients(context, operation, { clients, isRedone: true });
    },
  );
}
