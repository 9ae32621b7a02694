/** Files that the operator keeps: whole or not at all, by content. Not proven here: a power failure, a full disk. */
import {
  chown,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { extract } from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Release } from "../core/release/release.ts";
import { treeHash } from "../core/release/tree.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { copyTree, readTree } from "./file-tree.ts";
import { releaseStore } from "./release-store.ts";
import { archiveFolder } from "./tar.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-files-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function tree(files: Readonly<Record<string, string>>): Promise<string> {
  const root = join(folder, "tree");
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, path, ".."), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

describe("a tree", () => {
  test("leaves out what is excluded, at any depth or at the root only", async () => {
    const root = await tree({ "a.txt": "", "b/a.log": "", "b/.env": "", "fleet/x": "", "b/fleet/y": "" });
    const paths = (await readTree(root, ["*.log", ".env", "/fleet/"])).map(({ path }) => path);
    expect(paths).toEqual(["a.txt", "b/fleet/y"]);
  });

  test("copies content, links and the executable bit, and hashes the same", async () => {
    const root = await tree({ run: "#!/bin/sh", "b/text": "é" });
    await chmod(join(root, "run"), 0o700);
    await chmod(join(root, "b/text"), 0o600);
    await symlink("b/text", join(root, "link"));
    const entries = await readTree(root);
    await copyTree(root, entries, join(folder, "copy"));
    const copied = await readTree(join(folder, "copy"));
    expect(copied).toEqual(entries);
    expect(treeHash(copied)).toBe(treeHash(entries));
    expect((await stat(join(folder, "copy/run"))).mode & 0o777).toBe(0o755);
    expect((await stat(join(folder, "copy/b/text"))).mode & 0o777).toBe(0o644);
  });

  test.each(["/etc/passwd", "../../etc/passwd", "b/../../x"])("fails on a link to %s", async (target) => {
    const root = await tree({ a: "" });
    await symlink(target, join(root, "link"));
    await expect(readTree(root)).rejects.toThrow(`the link link leaves the tree (${target})`);
  });

  test.each([
    ["to a name that begins with two dots", "..a"],
    ["up and down again", "b/../..a"],
    ["to nothing, inside", "b/nothing"],
  ])("takes a link %s", async (_, target) => {
    const root = await tree({ "..a": "", "b/c": "" });
    await symlink(target, join(root, "link"));
    expect(await readTree(root)).toContainEqual({ kind: "link", path: "link", target });
  });

  test("fails on a link that leaves the tree through another link", async () => {
    const root = await tree({ "b/c": "", "../outside": "" });
    await symlink("..", join(root, "b/up"));
    await symlink("b/up/../outside", join(root, "link"));
    await expect(readTree(root)).rejects.toThrow("the link link leaves the tree (b/up/../outside)");
  });

  test("fails on what is neither file, folder nor link", async () => {
    const root = await tree({ a: "" });
    await execa("mkfifo", [join(root, "pipe")]);
    await expect(readTree(root)).rejects.toThrow("pipe is neither a file, a folder nor a link");
  });

  test("fails on a name that is no UTF-8, which it shows", async () => {
    const root = await tree({ "a/b": "x" });
    await writeFile(
      Buffer.concat([Buffer.from(`${root}/a/caf`), Buffer.from([0xe9]), Buffer.from(".png")]),
      "x",
    );
    await expect(readTree(root)).rejects.toThrow("the name caf\\xe9.png in a is not UTF-8; rename it");
  });

  test("keeps names that differ in case or in how an accent is written, with their bytes", async () => {
    const names = [
      "a.js",
      "A.js",
      "\u00e9t\u00e9.png",
      "e\u0301te\u0301.png",
      "x\ny",
      " z ",
      "[b]*?#!",
    ].sort();
    const root = await tree(Object.fromEntries(names.map((name) => [name, name])));
    const entries = await readTree(root);
    expect(entries.map(({ path }) => path)).toEqual(names);
    const copy = join(folder, "copy");
    await copyTree(root, entries, copy);
    expect((await readdir(copy)).sort()).toEqual(names);
    expect(treeHash(await readTree(copy))).toBe(treeHash(entries));
  });

  test("is not copied where two names are one", async () => {
    const root = await tree({ a: "1" });
    const entries = await readTree(root);
    await expect(copyTree(root, [...entries, ...entries], join(folder, "copy"))).rejects.toThrow("EEXIST");
  });

  test("is read by a way through a link, and in the order of names", async () => {
    const root = await tree({ b: "", a: "", "c/z": "", B: "" });
    await symlink("a", join(root, "link"));
    await symlink(root, join(folder, "way"));
    const entries = await readTree(join(folder, "way"));
    expect(entries.map(({ path }) => path)).toEqual(["B", "a", "b", "c/z", "link"]);
  });

  test("is the same archive wherever it is made", async () => {
    const root = await tree({ "b/text": "hello", run: "x" });
    await chmod(join(root, "run"), 0o711);
    const first = await archiveFolder(root);
    await copyTree(root, await readTree(root), join(folder, "copy"));
    await utimes(join(folder, "copy/run"), 1, 1);
    expect(Buffer.from(await archiveFolder(join(folder, "copy")))).toEqual(Buffer.from(first));
  });

  test("is an archive with root's owners and plain modes", async () => {
    const root = await tree({ "b/text": "hello" });
    await symlink("b/text", join(root, "link"));
    const seen: unknown[] = [];
    const tar = extract();
    tar.end(await archiveFolder(root));
    for await (const entry of tar) {
      const { name, uid, gid, mode, type, linkname } = entry.header;
      seen.push({ name, uid, gid, mode, type, linkname });
      entry.resume();
    }
    expect(seen).toMatchObject([
      { name: "b/text", uid: 0, gid: 0, mode: 0o644, type: "file" },
      { name: "link", type: "symlink", linkname: "b/text" },
    ]);
  });
});

describe("the store of releases", () => {
  const release = { format: 1, id: "aaaaaaaaaaaa" } as Release;

  test("keeps a release once, and reads it", async () => {
    const store = releaseStore(folder);
    let filled = 0;
    const fill = async (target: string) => {
      filled += 1;
      await writeFile(join(target, "x"), "");
    };
    await store.keep(release, "services: {}", fill);
    await store.keep(release, "other", fill);
    expect(filled).toBe(1);
    expect(await store.list()).toEqual(["aaaaaaaaaaaa"]);
    expect(await store.read("aaaaaaaaaaaa")).toEqual(release);
    expect(await readFile(join(store.path("aaaaaaaaaaaa"), "compose.yml"), "utf8")).toBe("services: {}");
    expect(await store.read("bbbbbbbbbbbb")).toBeUndefined();
  });

  test("leaves nothing when filling it fails", async () => {
    const store = releaseStore(folder);
    const failing = store.keep(release, "", () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await readdir(store.folder)).toEqual([]);
  });

  test("of two that keep the same release at once, one does, and nothing else is left", async () => {
    const store = releaseStore(folder);
    const keep = (compose: string) =>
      store.keep(release, compose, (target) => writeFile(join(target, "x"), compose));
    await Promise.all([keep("one"), keep("other")]);
    expect(await readdir(store.folder)).toEqual(["aaaaaaaaaaaa"]);
    const kept = await readFile(join(store.path("aaaaaaaaaaaa"), "compose.yml"), "utf8");
    expect(await readFile(join(store.path("aaaaaaaaaaaa"), "x"), "utf8")).toBe(kept);
  });

  test("shows no release that a process left half made, and no other folder", async () => {
    const store = releaseStore(folder);
    await mkdir(join(store.folder, "aaaaaaaaaaaa.partial-x"), { recursive: true });
    await mkdir(join(store.folder, "notes"));
    expect(await store.list()).toEqual([]);
    expect(await releaseStore(join(folder, "nowhere")).list()).toEqual([]);
  });

  test.each([
    ["text that is no JSON", "{"],
    ["another format", '{"format":2,"id":"aaaaaaaaaaaa"}'],
  ])("fails on %s", async (_, text) => {
    const store = releaseStore(folder);
    await store.keep(release, "", async () => {});
    await writeFile(join(store.path("aaaaaaaaaaaa"), "release.json"), text);
    await expect(store.read("aaaaaaaaaaaa")).rejects.toThrow("RELEASE_BROKEN");
  });

  test("fails on a release without its file", async () => {
    const store = releaseStore(folder);
    await mkdir(store.path("aaaaaaaaaaaa"), { recursive: true });
    await expect(store.read("aaaaaaaaaaaa")).rejects.toThrow("RELEASE_BROKEN");
  });

  test("keeps scripts by their hash, beside the releases", async () => {
    const store = releaseStore(folder);
    await store.keepScripts("cccccccccccc", (target) => writeFile(join(target, "base"), "1"));
    await store.keepScripts("cccccccccccc", () => Promise.reject(new Error("not asked")));
    expect(await readFile(join(store.scriptsPath("cccccccccccc"), "base"), "utf8")).toBe("1");
    expect(await store.list()).toEqual([]);
  });

  test("fails on a release that does not fit its name", async () => {
    const store = releaseStore(folder);
    await store.keep(release, "", async () => {});
    await writeFile(join(store.path("aaaaaaaaaaaa"), "release.json"), '{"format":1,"id":"bbbbbbbbbbbb"}');
    await expect(store.read("aaaaaaaaaaaa")).rejects.toThrow("RELEASE_BROKEN");
  });
});

test("a file that cannot be written leaves the former one, and nothing else", async () => {
  const path = join(folder, "file");
  await writeFileAtomically(path, "former");
  await mkdir(join(folder, "taken"));
  await writeFile(join(folder, "taken/x"), "");
  await expect(writeFileAtomically(join(folder, "taken"), "new")).rejects.toThrow();
  expect((await readdir(folder)).sort()).toEqual(["file", "taken"]);
  expect(await readFile(path, "utf8")).toBe("former");
});

test("a file keeps its owner and group when another account writes it", async () => {
  const path = join(folder, "file");
  await writeFile(path, "former");
  // Only root may give a file away.
  const [uid, gid] =
    process.getuid?.() === 0 ? [1234, 1235] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  await chown(path, uid, gid);
  await writeFileAtomically(path, "new");
  expect(await stat(path)).toMatchObject({ uid, gid });
  expect(await readFile(path, "utf8")).toBe("new");
});

test("a file is written with its mode, and nothing else is left", async () => {
  await writeFileAtomically(join(folder, "sub/secret"), "x", 0o600);
  expect((await stat(join(folder, "sub/secret"))).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, "sub"))).toEqual(["secret"]);
});
