/** @module One file's history in git: whether it may be edited, and a commit of it alone. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { userInfo } from "node:os";
import { basename, dirname, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";
import { z } from "zod";
import { FleetError } from "../core/errors.ts";
import type { Standing } from "../core/registry/port.ts";
import { writeFileAtomically } from "./atomic-file.ts";

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
  /** Notes what is about to be written and committed, so that a run that is cut between the two is gone on with. */
  announce(text: string, message: string): Promise<void>;
  /**
   * Commits what a cut run has written and announced; somebody's own changes are never taken for it.
   * @returns whether there was such a thing
   * @throws FleetError `COMMIT_FAILED`
   */
  endCutCommit(): Promise<boolean>;
  /** Commits the file and nothing else. @throws FleetError `COMMIT_FAILED` */
  commit(message: string): Promise<void>;
}

const Announcement = z.object({ hash: z.string(), message: z.string() });

/** How long another program may hold the repository. */
const lockSeconds = 10;

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
  return { refuseDirty, refuseBehind, standing, announce, endCutCommit, commit };

  async function refuseDirty(): Promise<void> {
    const { stdout } = await git(["status", "--porcelain", "--", name]);
    if (stdout.startsWith("??")) throw new FleetError("STACK_FILE_UNTRACKED", { file: path });
    if (stdout !== "" && !(await endCutCommit())) throw new FleetError("STACK_FILE_DIRTY", { file: path });
  }

  async function announce(text: string, message: string): Promise<void> {
    const note = await noteFile();
    await mkdir(dirname(note), { recursive: true });
    await writeFileAtomically(note, JSON.stringify({ hash: hashOf(text), message }), 0o600);
  }

  async function endCutCommit(): Promise<boolean> {
    const note = await readFile(await noteFile(), "utf8").catch(() => undefined);
    const announced = note === undefined ? undefined : readAnnouncement(note);
    if (announced === undefined || announced.hash !== hashOf(await readFile(path, "utf8"))) return false;
    const { stdout: changed } = await git(["status", "--porcelain", "--", name]);
    if (changed === "") return false;
    await commit(announced.message);
    return true;
  }

  async function noteFile(): Promise<string> {
    const { stdout } = await git(["rev-parse", "--git-path", `geoclic-fleet/${name}.json`]);
    return resolve(folder, stdout);
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
    const author = ["-c", `user.name=${actor}`, "-c", `user.email=${email}`];
    const end = Date.now() + lockSeconds * 1000;
    for (;;) {
      const made = await git([...author, "commit", "--quiet", "-m", message, "--", name], 60);
      if (made.status === 0) break;
      // An editor that looks at the repository holds it for a moment.
      const isHeld = /index\.lock/.test(made.said) && Date.now() < end;
      if (!isHeld) throw new FleetError("COMMIT_FAILED", { file: path, cause: made.cause });
      await setTimeout(250);
    }
    await rm(await noteFile(), { force: true });
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

function readAnnouncement(note: string): z.infer<typeof Announcement> | undefined {
  try {
    return Announcement.safeParse(JSON.parse(note)).data;
  } catch {
    return undefined;
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
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
    said: stderr,
    cause: stderr.split("\n").at(-1) || result.shortMessage || "no message",
  };
}
