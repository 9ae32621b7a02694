/** @module A folder as a tar archive, equal wherever it is made. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pack } from "tar-stream";
import { readTree } from "./file-tree.ts";

export async function archiveFolder(folder: string): Promise<Uint8Array> {
  const tar = pack();
  const owner = { uid: 0, gid: 0, mtime: new Date(0) };
  for (const entry of await readTree(folder)) {
    if (entry.kind === "link")
      tar.entry({ ...owner, name: entry.path, type: "symlink", linkname: entry.target });
    else
      tar.entry(
        { ...owner, name: entry.path, mode: entry.executable ? 0o755 : 0o644 },
        await readFile(join(folder, entry.path)),
      );
  }
  tar.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of tar) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}
