/** @module What git knows of a suite that is a checkout: where its tree comes from, and what is in no plain checkout. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Origin } from "./release-origins.ts";

export interface SuiteHistory {
  /** `undefined` before the first commit. */
  readonly origin: Omit<Origin, "at"> | undefined;
  /** Paths that the suite's own .gitignore leaves out, folders with a `/`. */
  readonly ignored: readonly string[];
  /** Of the paths given, those that git does not track. */
  untracked(paths: readonly string[]): Promise<string[]>;
}

/** `undefined` where the folder itself is no checkout. @throws Error with git's own sentence */
export async function suiteHistory(folder: string): Promise<SuiteHistory | undefined> {
  if (!existsSync(join(folder, ".git"))) return undefined;
  // Not the operator's own exclusions: a release is the same on every machine.
  const ignored = await git(
    "ls-files -z --others --ignored --exclude-per-directory=.gitignore --directory".split(" "),
  );
  return {
    origin: await origin(),
    ignored: ignored.split("\0").filter(Boolean),
    untracked: async (paths) => {
      if (paths.length === 0) return [];
      const tracked = new Set(
        (await git(["ls-files", "-z", "--", ...paths.map((path) => `:(literal)${path}`)])).split("\0"),
      );
      return paths.filter((path) => !tracked.has(path));
    },
  };

  async function origin(): Promise<SuiteHistory["origin"]> {
    // None before the first commit.
    const commit = (await git(["rev-parse", "--verify", "--quiet", "HEAD"]).catch(() => "")).trim();
    if (commit === "") return undefined;
    const [tags, described, changed] = await Promise.all([
      git(["tag", "--points-at", "HEAD"]),
      git(["describe", "--tags", "--always"]),
      git(["status", "--porcelain"]),
    ]);
    const isClean = changed === "";
    return {
      commit,
      tags: tags.split("\n").filter(Boolean).sort(),
      described: `${described.trim()}${isClean ? "" : "-dirty"}`,
      isClean,
    };
  }

  async function git(words: readonly string[]): Promise<string> {
    const own = Object.entries(process.env).filter(([key]) => !key.startsWith("GIT_"));
    const { exitCode, stdout, stderr, shortMessage } = await execa(
      "git",
      ["-C", folder, "--no-optional-locks", "-c", "core.fsmonitor=false", ...words],
      {
        env: { ...Object.fromEntries(own), LC_ALL: "C" },
        extendEnv: false,
        reject: false,
        stdin: "ignore",
        stripFinalNewline: false,
        timeout: 60_000,
      },
    );
    if (exitCode !== 0)
      throw new Error(
        `git ${words[0]}: ${String(stderr).trim().split("\n")[0] || shortMessage || "no message"}`,
      );
    return String(stdout);
  }
}
