/** @module Lints texts as if they were files of the project, in one run of the linter. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { execa } from "execa";

const project = resolve(import.meta.dirname, "../..");

export interface Finding {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** What the linter says of texts, by path from the project's root. */
export async function lint(texts: Readonly<Record<string, string>>): Promise<Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-lint-"));
  try {
    await copyFile(join(project, "biome.json"), join(folder, "biome.json"));
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(join(folder, dirname(path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    const biome = join(project, "node_modules/.bin/biome");
    const words = ["lint", "--reporter=github", "--max-diagnostics=none", "--vcs-enabled=false", "."];
    const { stdout } = await execa(biome, words, { reject: false, cwd: folder });
    const lines = stdout.matchAll(/^::error title=[^,]*,file=([^,]+),line=(\d+),[^:]*::(.*)$/gm);
    return [...lines].map(([, path = "", line = "", message = ""]) => ({
      path,
      line: Number(line),
      message,
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
