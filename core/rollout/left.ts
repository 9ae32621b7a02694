/** @module What a run of the engine left undone of what it set out to do. */
import type { ResourceChange } from "../engine/port.ts";

/** Steps of a client that a preview said would be worked on, and that did not end well in the run after it. */
export function leftOf(
  client: string,
  touched: readonly ResourceChange[],
  done: readonly Pick<ResourceChange, "client" | "step">[],
): string[] {
  const own = touched.filter((change) => change.client === client).map(({ step }) => step);
  const ended = new Set(done.filter((change) => change.client === client).map(({ step }) => step));
  return [...new Set(own)].filter((step) => !ended.has(step));
}
