/** @module Whether a process still is the one that it was: its number and the moment it was started. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

export interface ProcessMark {
  readonly pid: number;
  readonly host: string;
  /** Clock ticks from the machine's boot to the process's start (field 22 of /proc/PID/stat); empty where that is unknown. */
  readonly started: string;
}

export function ownProcess(): ProcessMark {
  return { pid: process.pid, host: hostname(), started: startOf(process.pid) ?? "" };
}

/** Of another machine nobody here can tell: it counts as alive. */
export function isAlive({ pid, host, started }: ProcessMark): boolean {
  if (host !== hostname()) return true;
  const now = startOf(pid);
  return now !== undefined && (started === "" || started === now);
}

/** Field 22 of /proc/PID/stat; `undefined` when there is no such process, or it has ended. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has ended: only its number is still taken.
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
