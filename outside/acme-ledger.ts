/** @module The operator's ledger of certificates asked for, from which the budget is counted and spent. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parse } from "../core/config/parse.ts";
import { FleetError } from "../core/errors.ts";
import { type AcmeEvent, type AcmeRequest, acmeBudget, relevantEvents } from "../core/certificate/budget.ts";
import type { AcmeLedger } from "../core/ports.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { type Held, withFileLock } from "./file-lock.ts";

const Events = z.array(
  z.object({
    domain: z.string(),
    server: z.string(),
    time: z.number(),
    outcome: z.enum(["issued", "failed"]),
  }),
);

/** @throws FleetError `LEDGER_BROKEN` or of the lock, from each of its functions */
export function acmeLedger(stateFolder: string): AcmeLedger {
  const file = join(stateFolder, "acme-ledger.json");
  return { spend, fail };

  async function read(): Promise<AcmeEvent[]> {
    const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "[]";
      throw error;
    });
    const parsed = parse(Events, json(text));
    if (parsed.ok) return parsed.value;
    throw broken(parsed.problems);
  }

  function json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw broken((error as Error).message);
    }
  }

  function broken(cause: string): FleetError {
    return new FleetError("LEDGER_BROKEN", { file, cause });
  }

  function spend({ domain, server, time }: AcmeRequest) {
    return withFileLock(file, async (held) => {
      const events = relevantEvents(await read(), time);
      const budget = acmeBudget(events, domain, server, time);
      if (budget.ok) await write(held, [...events, { domain, server, time, outcome: "issued" }]);
      return budget;
    });
  }

  async function fail({ domain, server, time }: AcmeRequest): Promise<void> {
    await withFileLock(file, async (held) => {
      const events = await read();
      const asked = events.findLast(
        (event) => event.domain === domain && event.server === server && event.time === time,
      );
      await write(
        held,
        events.map((event) => (event === asked ? { ...event, outcome: "failed" } : event)),
      );
    });
  }

  async function write(held: Held, events: readonly AcmeEvent[]): Promise<void> {
    await held();
    await writeFileAtomically(file, `${JSON.stringify(events, null, 1)}\n`);
  }
}
