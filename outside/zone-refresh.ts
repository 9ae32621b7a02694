/** @module One publication of a zone for everybody who waits for one, on this machine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomically } from "./atomic-file.ts";
import { withFileLock } from "./file-lock.ts";

/**
 * Runs `refresh` unless one began at or after `since` (milliseconds since 1970). Waits for one that is under way.
 * @returns whether it was run
 */
export async function refreshZone(
  state: string,
  zone: string,
  since: number,
  refresh: () => Promise<void>,
): Promise<boolean> {
  const file = join(state, "dns", `${zone}.json`);
  return withFileLock(file, async (held) => {
    const text = await readFile(file, "utf8").catch(() => "{}");
    const { began = 0 } = parse(text);
    if (began >= since) return false;
    const now = Date.now();
    await refresh();
    await held();
    await writeFileAtomically(file, `${JSON.stringify({ began: now })}\n`);
    return true;
  });
}

/** What cannot be read says nothing: one publication more does no harm. */
function parse(text: string): { began?: number } {
  try {
    return JSON.parse(text) as { began?: number };
  } catch {
    return {};
  }
}
