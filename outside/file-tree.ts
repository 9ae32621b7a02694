/** @module Reads a folder as a tree of values and copies it, exclusions applied. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import {
  constants,
  copyFile,
  chmod,
  lstat,
  mkdir,
  readdir,
  readlink,
  realpath,
  symlink,
} from "node:fs/promises";
import { dirname, isAbsolute, join, posix, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import ignore from "ignore";
import type { TreeEntry } from "../core/release/tree.ts";

/**
 * `exclude`: patterns in .gitignore's syntax, of names as they are written; `onLeftOut` gets what they match, a folder with a `/`.
 * @throws Error when a link leaves the tree, an entry is neither file, folder nor link, or a name is not UTF-8
 */
export async function readTree(
  root: string,
  exclude: readonly string[] = [],
  onLeftOut?: (path: string) => void,
): Promise<TreeEntry[]> {
  const excluded = ignore({ ignorecase: false }).add([...exclude]);
  const entries: TreeEntry[] = [];
  const realRoot = await realpath(root);
  await visit("");
  return entries;

  async function visit(folder: string): Promise<void> {
    const children = await readdir(join(root, folder), { withFileTypes: true, encoding: "buffer" });
    const named = children.map((child) => ({
      name: nameOf(child.name, folder),
      isFolder: child.isDirectory(),
    }));
    named.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, isFolder } of named) {
      const path = posix.join(folder, name);
      const shown = isFolder ? `${path}/` : path;
      if (excluded.ignores(shown)) onLeftOut?.(shown);
      else if (isFolder) await visit(path);
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

/** A name of other bytes has no text that every program would write the same. */
function nameOf(bytes: Buffer, folder: string): string {
  const name = bytes.toString("utf8");
  if (Buffer.from(name).equals(bytes)) return name;
  const shown = bytes
    .toString("latin1")
    .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
  throw new Error(`the name ${shown} in ${folder || "."} is not UTF-8; rename it`);
}

/**
 * Copies entries with plain modes: 0755 for folders and executables, 0644 for the rest.
 * @throws Error when two names are one on the target's file system
 */
export async function copyTree(root: string, entries: readonly TreeEntry[], target: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o755 });
  for (const entry of entries) {
    const to = join(target, entry.path);
    await mkdir(dirname(to), { recursive: true, mode: 0o755 });
    if (entry.kind === "link") await symlink(entry.target, to);
    else {
      await copyFile(join(root, entry.path), to, constants.COPYFILE_EXCL);
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
