/** @module The journal of a retirement and the last backup, in the operator's state: one line an event, on the disk at once. */
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FleetError } from "../core/errors.ts";
import type { RetirementJournal } from "../core/registry/port.ts";
import { RetirementLine } from "../core/registry/retirement.ts";

/** `state`: the operator's folder; `client`: a name that was checked. */
export function retirementJournal(state: string, client: string): RetirementJournal {
  const folder = join(state, "retired", client);
  const file = join(folder, "journal.jsonl");
  return {
    folder,
    read: async () => readLines(await readFile(file, "utf8").catch(absent)),
    write: async (event) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const handle = await open(file, "a+", 0o600);
      try {
        // What a crash left of a line would spoil the next one.
        const whole = (await handle.readFile()).lastIndexOf("\n") + 1;
        await handle.truncate(whole);
        await handle.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };

  function readLines(text: string): RetirementLine[] {
    const lines = text.split("\n");
    // A line that was being written when the machine died tells of nothing that was done yet.
    lines.pop();
    return lines.map((line) => {
      try {
        return RetirementLine.parse(JSON.parse(line));
      } catch (error) {
        throw new FleetError("RETIREMENT_JOURNAL", { file, cause: (error as Error).message.slice(0, 200) });
      }
    });
  }
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "";
  throw error;
}
