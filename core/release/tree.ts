/** @module A tree of files as values, and hashes of its content that are equal on every machine. */
import { createHash } from "node:crypto";

export type TreeEntry =
  | {
      readonly kind: "file";
      readonly path: string;
      readonly executable: boolean;
      /** sha256 of the content, hex. */ readonly digest: string;
      readonly bytes: number;
    }
  | {
      readonly kind: "link";
      readonly path: string;
      /** Relative target inside the tree. */ readonly target: string;
    };

/** First 12 hex characters of a sha256: 48 bits, plenty for the releases and images of one suite. */
export function shortHash(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 12);
}

/** Hash of a tree: paths, content, links and the executable bit; not times, owners or other modes. */
export function treeHash(entries: readonly TreeEntry[]): string {
  return shortHash(...[...entries].sort((a, b) => (a.path < b.path ? -1 : 1)).map(line));
}

/** Entries at or below a path, which stays in their names. */
export function below(entries: readonly TreeEntry[], path: string): TreeEntry[] {
  return entries.filter((entry) => path === "." || entry.path === path || entry.path.startsWith(`${path}/`));
}

function line(entry: TreeEntry): string {
  return entry.kind === "link"
    ? `link ${entry.path}\0${entry.target}`
    : `file ${entry.path} ${entry.executable ? "x" : "-"} ${entry.digest}`;
}
