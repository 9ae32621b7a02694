/** Locks of dead, living and distant holders. Not proven: what the engine leaves when it is killed (see test/lab). */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { clearDeadLock } from "./stack-lock.ts";

let folder: string;
let said: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-lock-"));
  said = [];
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${folder}`);
  // Stands in for the engine's own command.
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin/pulumi"), `#!/bin/sh\necho "$@" > ${folder}/called\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}/bin:${process.env.PATH}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const lock = async (content: string) => {
  const path = join(folder, ".pulumi/locks/organization/geoclic-fleet/lab");
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "a.json"), content);
};
const held = (pid: number, host = hostname()) =>
  lock(JSON.stringify({ pid, username: "root", hostname: host, timestamp: "2026-11-23T08:00:00.5Z" }));
const clear = () => clearDeadLock({ stack: "lab", project: folder, onProgress: (line) => said.push(line) });
/** No process has it: beyond what Linux gives out. */
const nobody = 4_194_305;

test("of a process that died is cleared, with a word about it", async () => {
  await held(nobody);
  await clear();
  expect(said.join()).toMatch(
    /lock of root@.* \(pid 4194305, 2026-11-23T08:00:00\) is cleared, its process has died/,
  );
});

test.each<[string, () => Promise<void>]>([
  ["of a process that lives", () => held(process.pid)],
  ["of another machine", () => held(nobody, "another-machine")],
])("%s is respected, its holder named", async (_, make) => {
  await make();
  await expect(clear()).rejects.toThrow(/STACK_LOCKED.*Next: wait/);
  expect(said).toEqual([]);
});

test.each<[string, () => Promise<void>]>([
  ["no lock", async () => {}],
  ["half a lock", () => lock('{"pid":')],
])("%s is nothing to do", async (_, make) => {
  await make();
  await clear();
  expect(said).toEqual([]);
});

test("a backend of another kind is left alone", async () => {
  await held(nobody);
  vi.stubEnv("PULUMI_BACKEND_URL", "postgres://x");
  await clear();
  expect(said).toEqual([]);
});
