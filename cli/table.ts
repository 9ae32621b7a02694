/** @module Tables for people. */
import Table from "cli-table3";

/** Below this a word a line would be left of a column. */
const narrowest = 12;

/** Plain borders; no colours, so that CI logs stay readable. `width`: columns of the terminal, where it is one. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  width = process.stdout.columns,
): string {
  const widths = width === undefined ? undefined : fitted(natural([head, ...rows]), width);
  const drawn = new Table({
    head: [...head],
    style: { head: [], border: [] },
    ...(widths ? { colWidths: widths, wordWrap: true } : {}),
  });
  for (const row of rows)
    drawn.push(
      row.map((content, column) => ({
        content,
        // What is longer than its column would be cut off.
        wrapOnWordBoundary: content
          .split(/\s/)
          .every((word) => word.length <= (widths?.[column] ?? Infinity) - 2),
      })),
    );
  return drawn.toString();
}

/** Columns that each column takes by itself, with a blank at each side. */
function natural(rows: readonly (readonly string[])[]): number[] {
  const columns = Math.max(...rows.map((row) => row.length));
  return Array.from({ length: columns }, (_, column) =>
    Math.max(
      ...rows.map((row) => Math.max(...(row[column] ?? "").split("\n").map((line) => [...line].length)) + 2),
    ),
  );
}

/** Takes from the widest column until the table fits; `undefined` when it fits as it is. */
function fitted(widths: readonly number[], width: number): number[] | undefined {
  const taken = [...widths];
  const total = () => taken.reduce((sum, each) => sum + each + 1, 1);
  if (total() <= width) return undefined;
  while (total() > width) {
    const widest = Math.max(...taken);
    if (widest <= narrowest) break;
    taken[taken.indexOf(widest)] = widest - 1;
  }
  return taken;
}
