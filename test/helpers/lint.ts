/** @module Lints a text as if it were a file of the project. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";

const project = resolve(import.meta.dirname, "../..");

/** What the linter says of `text` at `path`. */
export async function lint(path: string, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-lint-"));
  try {
    await copyFile(join(project, "biome.json"), join(folder, "biome.json"));
    await mkdir(join(folder, dirname(path)), { recursive: true });
    await writeFile(join(folder, path), text);
    const biome = join(project, "node_modules/.bin/biome");
    const words = ["lint", "--colors=off", "--vcs-enabled=false", path];
    const { stdout, stderr } = await execa(biome, words, { reject: false, cwd: folder });
    return `${stdout}\n${stderr}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
