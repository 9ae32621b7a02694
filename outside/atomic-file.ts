/** @module Files written whole or not at all, and on the disk when they are said to be. */
import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** The former file's owner and group are kept, where this process may give a file away. */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const partial = `${path}.${randomBytes(4).toString("hex")}.partial`;
  try {
    const former = await stat(path).catch(() => undefined);
    const handle = await open(partial, "wx", mode);
    try {
      await handle.writeFile(content);
      if (former && (former.uid !== process.getuid?.() || former.gid !== process.getgid?.()))
        await handle.chown(former.uid, former.gid).catch(refusedChange);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, path);
    await syncFolder(folder);
  } finally {
    await rm(partial, { force: true });
  }
}

/** A name that is in a folder is there after a power cut only once the folder is on the disk too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function refusedChange(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPERM") throw error;
}
