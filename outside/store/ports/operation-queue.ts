/** @module The line of a stack's operations over the store. */
import { FleetError } from "../../../core/errors.ts";
import type { Holder, OperationQueue } from "../../../core/operation/port.ts";
import type { Store } from "../../../core/store/port.ts";
import type { InLine } from "../../../core/store/turns.ts";
import { stackName } from "./stack-name.ts";

export function storedQueue({ turns }: Pick<Store, "turns">, stack: string): OperationQueue {
  const key = `stack ${stackName(stack)}`;
  return {
    enter: async (what, actor, { wait, signal, onWait, onDead }) => {
      let shown = 0;
      const told = (first: InLine) => {
        if (first.ticket !== shown) onWait(holderOf(first));
        shown = first.ticket;
      };
      const options = {
        what,
        actor,
        wait,
        signal,
        onWait: told,
        onDead: (dead: InLine) => onDead(holderOf(dead)),
      };
      return turns.enter(key, options).catch((error: unknown) => {
        if (!(error instanceof FleetError) || error.code !== "TURN_TAKEN") throw error;
        const { key: _, ...values } = error.values;
        throw new FleetError("OPERATION_LOCKED", { stack, ...values });
      });
    },
  };
}

function holderOf({ what, actor, since, holder }: InLine): Holder {
  return { what, actor, since: new Date(since).toISOString(), pid: holder.pid, host: holder.machine };
}
