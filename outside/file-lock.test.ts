/** One at a time on a file. Not proven: the end of a dead process's lock after 20 s, network file systems. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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

describe("a lock that another process took over", () => {
  /** As another process does after this one stood still for too long. */
  const takeOver = async (path: string) => {
    await rm(`${path}.lock`, { recursive: true });
    await mkdir(`${path}.lock`);
    await writeFile(path, "theirs");
  };

  test("is noticed before the write, though no timer has run since: what the other wrote stays", async () => {
    const path = join(folder, "file");
    const lost = withFileLock(path, async (held) => {
      await held();
      await takeOver(path);
      await held();
      await writeFile(path, "ours");
    });
    await expect(lost).rejects.toMatchObject({ code: "LOCK_LOST", values: { path } });
    expect(await readFile(path, "utf8")).toBe("theirs");
    expect(await readdir(folder)).toContain("file.lock");
  });

  test("by the time of its end fails too, and is left to that one", async () => {
    const path = join(folder, "file");
    const lost = withFileLock(path, async () => {
      await takeOver(path);
      await new Promise((resolve) => setTimeout(resolve, 7000));
    });
    await expect(lost).rejects.toMatchObject({ code: "LOCK_LOST", values: { path } });
    expect((await readdir(folder)).sort()).toEqual(["file", "file.lock"]);
  }, 15_000);
});

test("a lock that cannot be given back hides neither the work's result nor its error", async () => {
  const path = join(folder, "file");
  const spoil = async () => {
    // A folder that is not empty is not removed.
    await writeFile(join(`${path}.lock`, "x"), "");
  };
  await expect(
    withFileLock(path, async () => {
      await spoil();
      throw new Error("the work's");
    }),
  ).rejects.toThrow("the work's");
  await rm(`${path}.lock`, { recursive: true });
  expect(await withFileLock(path, () => spoil().then(() => 42))).toBe(42);
});
