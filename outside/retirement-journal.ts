/** @module The journal of a retirement, beside the last backup, in the operator's state. */
import { join } from "node:path";
import type { RetirementJournal } from "../core/registry/port.ts";
import { type RetirementEvent, RetirementLine } from "../core/registry/retirement.ts";
import { appendJournal } from "./append-journal.ts";

/** `state`: the operator's folder; `client`: a name that was checked. */
export function retirementJournal(state: string, client: string): RetirementJournal {
  const folder = join(state, "retired", client);
  const file = join(folder, "journal.jsonl");
  return {
    folder,
    ...appendJournal<RetirementEvent, RetirementLine>(file, RetirementLine, "RETIREMENT_JOURNAL"),
  };
}
