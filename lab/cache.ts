/** @module Things built once, kept in the cache under a hash of what they were built from. */
import { createHash } from "node:crypto";
import { access, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CACHE } from "./layout.ts";

/** 16 hexadecimal characters that change when any input does. Inputs are JSON values. */
export function contentKey(inputs: unknown): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
}

export async function isPresent(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/**
 * The path of `name` in the cache, built by `build(path)` when it is not there yet.
 * A build that is interrupted leaves nothing behind; two builds at a time are harmless, the first one stays.
 */
export async function cached(
  name: string,
  inputs: unknown,
  build: (path: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE, contentKey([name, inputs]));
  const path = join(folder, name);
  if (await isPresent(path)) return path;
  const partial = `${folder}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  try {
    await build(join(partial, name));
    await rename(partial, folder).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await isPresent(path))) throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return path;
}
