/** @module Reads a folder as a tree of values and copies it, exclusions applied. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, chmod, lstat, mkdir, readdir, readlink, realpath, symlink } from "node:fs/promises";
import { dirname, isAbsolute, join, posix, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import ignore from "ignore";
import type { TreeEntry } from "../core/release/tree.ts";

/** @throws Error when a link leaves the tree, or an entry is neither file, folder nor link */
export async function readTree(root: string, exclude: readonly string[] = []): Promise<TreeEntry[]> {
  const excluded = ignore().add([...exclude]);
  const entries: TreeEntry[] = [];
  const realRoot = await realpath(root);
  await visit("");
  return entries;

  async function visit(folder: string): Promise<void> {
    const children = await readdir(join(root, folder), { withFileTypes: true });
    children.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const child of children) {
      const path = posix.join(folder, child.name);
      if (excluded.ignores(child.isDirectory() ? `${path}/` : path)) continue;
      if (child.isDirectory()) await visit(path);
      else entries.push(await entry(path));
    }
  }

  async function entry(path: string): Promise<TreeEntry> {
    const full = join(root, path);
    const stat = await lstat(full);
    if (stat.isSymbolicLink()) {
      const target = await readlink(full);
      // Through other links it may end elsewhere than its words say; a dangling one ends where they say.
      const end = await realpath(full).catch(() => join(realRoot, dirname(path), target));
      if (isAbsolute(target) || leaves(join(dirname(path), target)) || leaves(relative(realRoot, end)))
        throw new Error(`the link ${path} leaves the tree (${target}), expected a relative target inside it`);
      return { kind: "link", path, target };
    }
    if (!stat.isFile()) throw new Error(`${path} is neither a file, a folder nor a link`);
    const executable = (stat.mode & 0o111) !== 0;
    return { kind: "file", path, executable, digest: await sha256(full), bytes: stat.size };
  }
}

/** Copies entries with plain modes: 0755 for folders and executables, 0644 for the rest. */
export async function copyTree(root: string, entries: readonly TreeEntry[], target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o755 });
  for (const entry of entries) {
    const to = join(target, entry.path);
    await mkdir(dirname(to), { recursive: true, mode: 0o755 });
    if (entry.kind === "link") await symlink(entry.target, to);
    else {
      await copyFile(join(root, entry.path), to);
      await chmod(to, entry.executable ? 0o755 : 0o644);
    }
  }
}

function leaves(path: string): boolean {
  return path === ".." || path.startsWith("../");
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
