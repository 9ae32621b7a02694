/** @module Tables for people. */
import Table from "cli-table3";

/** Plain borders; no colours, so that CI logs stay readable. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) drawn.push([...row]);
  return drawn.toString();
}
