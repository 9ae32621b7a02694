/** @module The operator's ledger of certificates asked for, from which the budget is counted. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type AcmeEvent, relevantEvents } from "../core/certificate/budget.ts";
import type { AcmeLedger } from "../core/ports.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { withFileLock } from "./file-lock.ts";

const Events = z.array(
  z.object({
    domain: z.string(),
    server: z.string(),
    time: z.number(),
    outcome: z.enum(["issued", "failed"]),
  }),
);

export function acmeLedger(stateFolder: string): AcmeLedger {
  const file = join(stateFolder, "acme-ledger.json");
  return { read, add };

  async function read(): Promise<AcmeEvent[]> {
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "[]";
      throw error;
    });
    return Events.parse(JSON.parse(text));
  }

  async function add(event: AcmeEvent): Promise<void> {
    await withFileLock(file, async () => {
      const events = relevantEvents([...(await read()), event], event.time);
      await writeFileAtomically(file, `${JSON.stringify(events, null, 1)}\n`);
    });
  }
}
