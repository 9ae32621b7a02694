/** @module Runs a command and measures all its processes: time, CPU, memory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";

export interface Cost {
  /** Wall time. */
  readonly seconds: number;
  /** User and system time of every process that was waited for. */
  readonly cpuSeconds: number;
  /** Largest sum of the resident sizes of its processes; pages that several share count in each. */
  readonly peakMiB: number;
}

export interface Run extends Cost {
  readonly status: number;
  readonly output: string;
}

// Looking costs time itself: it reads every process of the machine.
const everyMilliseconds = 200;

/** Standard output and error come together. */
export async function measure(
  command: readonly [string, ...string[]],
  { cwd, env = process.env }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<Run> {
  // The shell tells the times of what it waited for, on a descriptor of its own.
  const script = '"$@" 2>&1; status=$?; times >&3; exit $status';
  const began = performance.now();
  const child = spawn("sh", ["-c", script, "sh", ...command], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "inherit", "pipe"],
  });
  let peakMiB = 0;
  const timer = setInterval(() => {
    peakMiB = Math.max(peakMiB, residentMiB(child.pid ?? 0));
  }, everyMilliseconds);
  const [output, times] = await Promise.all(
    [child.stdio[1], child.stdio[3]].map((stream) => text(stream as NodeJS.ReadableStream)),
    // The descriptors close when the command has ended.
  );
  if (child.exitCode === null) await once(child, "exit");
  clearInterval(timer);
  return {
    status: child.exitCode ?? 1,
    output: output ?? "",
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: readTimes(times ?? ""),
    peakMiB,
  };
}

/** Second line of POSIX `times`: user and system time of the children, `1m2.34s 0m0.56s`. */
export function readTimes(times: string): number {
  const [, children = ""] = times.split("\n");
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
  return parts.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0);
}

/** Resident size of a process and all below it. */
function residentMiB(root: number): number {
  const sizes = new Map<number, { parent: number; kib: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      const value = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
      sizes.set(Number(name), { parent: value("PPid"), kib: value("VmRSS") });
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (pid: number): boolean => {
    for (let at = pid; at > 1; at = sizes.get(at)?.parent ?? 0) if (at === root) return true;
    return false;
  };
  let kib = 0;
  for (const [pid, size] of sizes) if (isBelow(pid)) kib += size.kib;
  return kib / 1024;
}
