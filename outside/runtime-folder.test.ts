/** The folder of sockets is used only where no other account can exchange it. Not proven: a kernel's own protections. */
import { chmod, chown, mkdir, mkdtemp, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { home } from "./home.ts";
import { ensureRuntimeFolder, openTo } from "./runtime-folder.ts";

let folder: string;
let env: NodeJS.ProcessEnv;
const isRoot = process.getuid?.() === 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gr-"));
  env = { GEOCLIC_HOME: join(folder, "home"), XDG_RUNTIME_DIR: join(folder, "run") };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("is made for its owner alone, and narrowed where it was wider", async () => {
  const made = await ensureRuntimeFolder(env);
  expect((await stat(made)).mode & 0o777).toBe(0o700);
  await chmod(made, 0o755);
  await ensureRuntimeFolder(env);
  expect((await stat(made)).mode & 0o777).toBe(0o700);
});

test("is in the operator's home where the system names no place, and short enough for a socket", () => {
  const { state, runtime } = home({ GEOCLIC_HOME: "/var/lib/fleet" });
  expect(runtime).toBe(`${state}/run`);
  const long = home({ GEOCLIC_HOME: `/srv/${"x".repeat(80)}` });
  expect(long.runtime).toMatch(/^\/tmp\/geoclic-fleet-\d+\/geoclic-[0-9a-f]{8}$/);
});

test("a folder in which every account may write is refused, by its name", async () => {
  await mkdir(join(folder, "run"));
  await chmod(join(folder, "run"), 0o777);
  await expect(ensureRuntimeFolder(env)).rejects.toMatchObject({
    code: "RUNTIME_UNSAFE",
    values: { folder: join(folder, "run"), cause: "every account may write in it" },
  });
});

test("a link in its place is refused", async () => {
  const { runtime } = home(env);
  await mkdir(join(folder, "run"));
  await mkdir(join(folder, "elsewhere"));
  await symlink(join(folder, "elsewhere"), runtime);
  await expect(ensureRuntimeFolder(env)).rejects.toMatchObject({ code: "RUNTIME_UNSAFE" });
});

test.runIf(isRoot)("one that another account has made first is refused", async () => {
  await mkdir(join(folder, "run"));
  await chown(join(folder, "run"), 65534, 65534);
  await expect(ensureRuntimeFolder(env)).rejects.toMatchObject({
    code: "RUNTIME_UNSAFE",
    values: { cause: "it belongs to account 65534" },
  });
});

test.each([
  ["root's", { uid: 0, gid: 0, mode: 0o40755 }, undefined],
  ["one's own", { uid: 7, gid: 7, mode: 0o40700 }, undefined],
  ["one's own, open to a group of one", { uid: 7, gid: 7, mode: 0o40775 }, undefined],
  ["one's own, open to another group", { uid: 7, gid: 9, mode: 0o40775 }, "group 9 may write in it"],
  ["root's, open to a group of others", { uid: 0, gid: 9, mode: 0o40775 }, "group 9 may write in it"],
  ["open to all and sticky", { uid: 0, gid: 0, mode: 0o41777 }, undefined],
  ["open to all", { uid: 0, gid: 0, mode: 0o40777 }, "every account may write in it"],
  ["another account's", { uid: 8, gid: 8, mode: 0o40700 }, "it belongs to account 8"],
  ["another account's, sticky", { uid: 8, gid: 8, mode: 0o41777 }, "it belongs to account 8"],
  ["a link of root's", { uid: 0, gid: 0, mode: 0o120777 }, undefined],
  ["a link of another account", { uid: 8, gid: 8, mode: 0o120777 }, "it belongs to account 8"],
])("a folder above it: %s", (_, found, expected) => {
  expect(openTo(found, 7, 7)).toBe(expected);
});
