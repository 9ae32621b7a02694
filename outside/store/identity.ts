/** @module Who this process is, as other processes and machines can tell. */
import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FleetError } from "../../core/errors.ts";
import type { Identity } from "../../core/store/holder.ts";
import { startOf } from "../process.ts";

/** `folder`: where a machine without an id of its own keeps one. @throws FleetError `MACHINE_UNKNOWN` */
export function ownIdentity(folder: string): Identity {
  try {
    const started = startOf(process.pid);
    if (started === undefined) throw new Error("/proc does not list this process");
    return {
      machine: machineId(folder),
      boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      namespace: readlinkSync("/proc/self/ns/pid"),
      pid: process.pid,
      started,
    };
  } catch (error) {
    throw new FleetError("MACHINE_UNKNOWN", { cause: (error as Error).message });
  }
}

function machineId(folder: string): string {
  const own = readId("/etc/machine-id");
  if (own) return own;
  const file = join(folder, "machine-id");
  const kept = readId(file);
  if (kept) return kept;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const partial = `${file}.${randomUUID()}`;
  writeFileSync(partial, `${randomUUID().replaceAll("-", "")}\n`, { mode: 0o600 });
  try {
    // Whole or not at all, and of several processes the first one's.
    linkSync(partial, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(partial, { force: true });
  }
  return readId(file) ?? "";
}

function readId(file: string): string | undefined {
  try {
    // systemd writes `uninitialized` into an image that has not started yet.
    return /^[0-9a-f]{32}$/.exec(readFileSync(file, "utf8").trim())?.[0];
  } catch {
    return undefined;
  }
}
