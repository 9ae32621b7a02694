/** @module Starts and stops the lab's OVH, a detached process; one that is dead or of other code is started anew. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "../errors.ts";
import { HOST, LOG_FILE, PORT, PROCESS_FILE } from "./place.ts";

interface Running {
  readonly pid: number;
  /** Hash of the code that it runs. */
  readonly code: string;
}

export async function ensureOvh(): Promise<void> {
  const code = await codeHash();
  const running = await readRunning();
  if (running?.code === code && isAlive(running.pid) && (await answers())) return;
  await stopOvh();
  const log = openSync(LOG_FILE, "a");
  const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
  });
  child.unref();
  closeSync(log);
  await writeFile(PROCESS_FILE, JSON.stringify({ pid: child.pid, code }));
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await answers()) return;
    await sleep(100);
  }
  throw new LabError(
    `The lab's OVH does not answer at ${HOST}:${PORT}: ${(await readFile(LOG_FILE, "utf8")).slice(-400)}`,
    "Run `npm run -s lab -- up` again.",
  );
}

export async function stopOvh(): Promise<void> {
  const running = await readRunning();
  if (running && (await isOurs(running.pid))) {
    process.kill(running.pid, "SIGTERM");
    for (let attempt = 0; attempt < 50 && isAlive(running.pid); attempt++) await sleep(50);
  }
  await rm(PROCESS_FILE, { force: true });
}

/** `running`, or `dead`. */
export async function ovhStatus(): Promise<string> {
  return (await answers()) ? "running" : "dead";
}

async function readRunning(): Promise<Running | undefined> {
  const text = await readFile(PROCESS_FILE, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Running);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A number of a process that ended may be somebody else's by now. */
async function isOurs(pid: number): Promise<boolean> {
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return words.includes("lab/ovh/main.ts");
}

async function answers(): Promise<boolean> {
  const answer = await fetch(`http://${HOST}:${PORT}/1.0/auth/time`, {
    signal: AbortSignal.timeout(2000),
  }).catch(() => undefined);
  return answer?.ok === true;
}

/** Of this folder and of the lab's own, which its hooks use. */
async function codeHash(): Promise<string> {
  const hash = createHash("sha256");
  for (const folder of [import.meta.dirname, resolve(import.meta.dirname, "..")])
    for (const name of (await readdir(folder)).sort())
      if (name.endsWith(".ts") && !name.endsWith(".test.ts"))
        hash.update(name).update(await readFile(join(folder, name)));
  return hash.digest("hex").slice(0, 12);
}
