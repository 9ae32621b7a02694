/** Who this process is. Not proven: systems without /proc. */

import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startOf } from "../process.ts";
import { ownIdentity } from "./identity.ts";

test("is the same each time, and knows no name of the host", async () => {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-id-"));
  const identity = ownIdentity(folder);
  expect(ownIdentity(folder)).toEqual(identity);
  expect(identity).toMatchObject({
    machine: expect.stringMatching(/^[0-9a-f]{32}$/),
    boot: expect.stringMatching(/^[0-9a-f-]{36}$/),
    pid: process.pid,
    started: startOf(process.pid),
  });
  expect(Object.values(identity)).not.toContain(hostname());
  // A machine that has no id of its own keeps one there, and nothing else.
  const names = await readdir(folder);
  if (names.length > 0) expect(names).toEqual(["machine-id"]);
  for (const name of names)
    expect((await readFile(join(folder, name), "utf8")).trim()).toBe(identity.machine);
  await rm(folder, { recursive: true });
});

test("a process that has ended has no start, though nobody has asked for its status yet", async () => {
  const child = spawn("sleep", ["60"]);
  const pid = child.pid ?? 0;
  expect(startOf(pid)).toMatch(/^\d+$/);
  child.kill("SIGKILL");
  await expect.poll(() => startOf(pid)).toBeUndefined();
  expect(startOf(4_194_304)).toBeUndefined();
});
