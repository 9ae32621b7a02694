/** One at a time on a file. Not proven: the end of a dead process's lock after 20 s, network file systems. */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { withFileLock } from "./file-lock.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-lock-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("works never overlap", async () => {
  let inside = 0;
  let most = 0;
  const work = () =>
    withFileLock(join(folder, "sub/file"), async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    });
  await Promise.all([work(), work(), work()]);
  expect(most).toBe(1);
});

test("gives the work's result, or its failure, and is free afterwards", async () => {
  const path = join(folder, "file");
  await expect(withFileLock(path, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await withFileLock(path, async () => 42)).toBe(42);
  expect(await readdir(folder)).toEqual([]);
});

test("locks of different files do not wait for each other", async () => {
  const inner = withFileLock(join(folder, "a"), () => withFileLock(join(folder, "b"), async () => "both"));
  expect(await inner).toBe("both");
});

test("a lock that another process took over fails cleanly, and is left to that one", async () => {
  const path = join(folder, "file");
  const lost = withFileLock(path, async () => {
    // As another process does after this one stood still for too long.
    await rm(`${path}.lock`, { recursive: true });
    await mkdir(`${path}.lock`);
    await new Promise((resolve) => setTimeout(resolve, 7000));
  });
  await expect(lost).rejects.toMatchObject({ code: "LOCK_LOST", values: { path } });
  expect(await readdir(folder)).toEqual(["file.lock"]);
}, 15_000);
