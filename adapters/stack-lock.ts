/**
 * @module The lock of a stack on a file backend: one whose process has died is cleared, with a word about it. An engine that
 * is killed leaves its lock behind, and Pulumi's locks know no end.
 */
import { readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { z } from "zod";
import { lastLine } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";

const Lock = z.object({ pid: z.int(), username: z.string(), hostname: z.string(), timestamp: z.string() });

export interface StackLockOptions {
  readonly stack: string;
  /** Folder of Pulumi.yaml. */
  readonly project: string;
  /** Name of the project in Pulumi.yaml. @default geoclic-fleet */
  readonly projectName?: string;
  readonly onProgress: (line: string) => void;
}

/**
 * Nothing to do without a lock, or with another backend than files.
 * @throws FleetError `STACK_LOCKED` when its holder lives, or is on another machine
 */
export async function clearDeadLock({
  stack,
  project,
  projectName = "geoclic-fleet",
  onProgress,
}: StackLockOptions): Promise<void> {
  for (const { pid, username, hostname: host, timestamp } of await readLocks(projectName, stack)) {
    const holder = `${username}@${host} (pid ${pid}, ${timestamp.slice(0, 19)})`;
    if (host !== hostname() || isAlive(pid)) throw new FleetError("STACK_LOCKED", { stack, holder });
    onProgress(`stack ${stack}: the lock of ${holder} is cleared, its process has died`);
    const result = await execa("pulumi", ["cancel", "--yes", "--stack", stack], {
      cwd: project,
      reject: false,
      stdin: "ignore",
    });
    if (result.exitCode !== 0)
      throw new FleetError("ENGINE_FAILED", {
        verb: "cancel",
        stack,
        cause: lastLine(String(result.stderr)),
      });
    // One cancellation clears every lock of the stack.
    return;
  }
}

async function readLocks(projectName: string, stack: string): Promise<z.infer<typeof Lock>[]> {
  const backend = process.env.PULUMI_BACKEND_URL ?? "";
  if (!backend.startsWith("file://")) return [];
  const state = backend.startsWith("file:///") ? fileURLToPath(backend) : backend.slice("file://".length);
  const folder = join(state, ".pulumi/locks/organization", projectName, stack.split("/").at(-1) ?? stack);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".json"));
  const texts = await Promise.all(
    names.map((name) => readFile(join(folder, name), "utf8").catch(() => undefined)),
  );
  // A lock that is gone meanwhile, or half written by somebody who begins, is the engine's own matter.
  return texts.flatMap((text) => {
    const parsed = Lock.safeParse(attempt(text ?? ""));
    return parsed.success ? [parsed.data] : [];
  });
}

function attempt(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process lives too.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
