/** @module A journal to which lines are added: JSON, one an event, on the disk when the next thing is done. */
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { z } from "zod";
import type { ErrorCode } from "../core/errors.ts";
import { FleetError } from "../core/errors.ts";
import { syncFolder } from "./atomic-file.ts";

export interface AppendJournal<Event, Line> {
  readonly file: string;
  /** Empty without a file. @throws FleetError of the code that was given, for a line that is no event */
  read(): Promise<Line[]>;
  /** On the disk when it returns. Who writes holds the file's lock. */
  write(event: Event): Promise<void>;
}

/** `schema`: of a line, an event with its `time`; `code`: of the failure for a line that is none. */
export function appendJournal<Event extends object, Line extends Event & { readonly time: string }>(
  file: string,
  schema: z.ZodType<Line>,
  code: ErrorCode,
): AppendJournal<Event, Line> {
  return { file, read, write };

  async function read(): Promise<Line[]> {
    const lines = (await readFile(file, "utf8").catch(absent)).split("\n");
    // A line that was being written when the machine died tells of nothing that was done yet.
    lines.pop();
    return lines.map((line) => {
      try {
        return schema.parse(JSON.parse(line));
      } catch (error) {
        throw new FleetError(code, { file, cause: (error as Error).message.slice(0, 200) });
      }
    });
  }

  async function write(event: Event): Promise<void> {
    const folder = dirname(file);
    const isMade = (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined;
    const handle = await open(file, "a+", 0o600);
    let isNew = false;
    try {
      const content = await handle.readFile();
      isNew = content.length === 0;
      // What a crash left of a line would spoil the next one.
      await handle.truncate(content.lastIndexOf("\n") + 1);
      await handle.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (isNew) await syncFolder(folder);
    if (isMade) await syncFolder(dirname(folder));
  }
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT") return "";
  throw error;
}
