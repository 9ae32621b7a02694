/** @module One file's history in git: whether it may be edited, and a commit of it alone. */
import { basename, dirname } from "node:path";
import { userInfo } from "node:os";
import { execa } from "execa";
import { FleetError } from "../core/errors.ts";
import type { Standing } from "../core/registry/port.ts";

export interface History {
  /** Fails while an edit could not be told from somebody else's. @throws FleetError `STACK_FILE_DIRTY`, `STACK_FILE_UNTRACKED` */
  refuseDirty(): Promise<void>;
  /**
   * Fails where an edit would be made on an old state: it asks the upstream over the network.
   * @throws FleetError `CHECKOUT_BEHIND`, `CHECKOUT_UNCERTAIN`
   */
  refuseBehind(): Promise<void>;
  /** Commits that the upstream does not have, and the other way round (as far as it answers); `undefined` without an upstream. */
  standing(): Promise<Standing | undefined>;
  /** Commits the file and nothing else. @throws FleetError `COMMIT_FAILED` */
  commit(message: string): Promise<void>;
}

/** The history of a file; `undefined` outside git, and for a file that git is told to ignore. */
export async function historyOf(
  path: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<History | undefined> {
  const folder = dirname(path);
  const name = basename(path);
  const inside = await git(["rev-parse", "--is-inside-work-tree"]);
  if (inside.stdout !== "true") return undefined;
  if ((await git(["check-ignore", "--quiet", "--", name])).status === 0) return undefined;
  return { refuseDirty, refuseBehind, standing, commit };

  async function refuseDirty(): Promise<void> {
    const { stdout } = await git(["status", "--porcelain", "--", name]);
    if (stdout.startsWith("??")) throw new FleetError("STACK_FILE_UNTRACKED", { file: path });
    if (stdout !== "") throw new FleetError("STACK_FILE_DIRTY", { file: path });
  }

  async function refuseBehind(): Promise<void> {
    const found = await standing();
    if (!found) return;
    const { upstream, ahead, behind, cause } = found;
    if (cause !== undefined) throw new FleetError("CHECKOUT_UNCERTAIN", { upstream, cause });
    if (behind > 0) throw new FleetError("CHECKOUT_BEHIND", { upstream, ahead, behind });
  }

  async function standing(): Promise<Standing | undefined> {
    const upstream = await git(["rev-parse", "--abbrev-ref", "@{upstream}"]);
    if (upstream.status !== 0) return undefined;
    const fetched = await git(["fetch", "--quiet"], 60);
    const { stdout: counts } = await git(["rev-list", "--left-right", "--count", "HEAD...@{upstream}"]);
    const [ahead = 0, behind = 0] = counts.split(/\s+/).map(Number);
    return {
      ...{ upstream: upstream.stdout, ahead, behind },
      ...(fetched.status === 0 ? {} : { cause: fetched.cause }),
    };
  }

  async function commit(message: string): Promise<void> {
    const { name: actor, email } = await actorOf(folder, env);
    const made = await git(
      [
        "-c",
        `user.name=${actor}`,
        "-c",
        `user.email=${email}`,
        "commit",
        "--quiet",
        "-m",
        message,
        "--",
        name,
      ],
      60,
    );
    if (made.status !== 0) throw new FleetError("COMMIT_FAILED", { file: path, cause: made.cause });
  }

  function git(words: readonly string[], seconds = 30) {
    return runGit(folder, env, words, seconds);
  }
}

/** Whoever runs the verb: named by GEOCLIC_ACTOR, by git, or by the machine. */
export async function actorOf(
  folder = ".",
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ name: string; email: string }> {
  const [named, mailed] = await Promise.all(
    ["user.name", "user.email"].map((key) => runGit(folder, env, ["config", key], 30)),
  );
  const account = env.SUDO_USER ?? userInfo().username;
  const name = (env.GEOCLIC_ACTOR || named?.stdout || account).replace(/[<>\p{Cc}]/gu, " ").trim() || account;
  return { name, email: mailed?.stdout || `${account}@localhost` };
}

async function runGit(folder: string, env: NodeJS.ProcessEnv, words: readonly string[], seconds: number) {
  const result = await execa("git", ["-C", folder, ...words], {
    env: {
      ...env,
      GIT_TERMINAL_PROMPT: "0",
      GIT_SSH_COMMAND: env.GIT_SSH_COMMAND ?? "ssh -o BatchMode=yes",
      LC_ALL: "C",
    },
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    timeout: seconds * 1000,
  });
  const stderr = String(result.stderr ?? "").trim();
  return {
    status: result.exitCode ?? 255,
    stdout: String(result.stdout ?? "").trimEnd(),
    cause: stderr.split("\n").at(-1) || result.shortMessage || "no message",
  };
}
