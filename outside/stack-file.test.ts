/** A stack's file on disk and in a real git repository. Not proven: pushes, and editors that do not know the lock. */
import { mkdirSync, rmSync } from "node:fs";
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { stackFile } from "./stack-file.ts";

let folder: string;
let path: string;

const git = async (words: readonly string[], cwd = folder) =>
  String((await execa("git", words, { cwd })).stdout);
const detach = async (options: { commit?: boolean } = {}, name = "ville-lyon") =>
  (await stackFile("prod", options)).editClients(
    (clients) => clients.set(name, "detached", true),
    `Detach ${name}`,
  );

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "geoclic-stack-"));
  path = join(folder, "Pulumi.prod.yaml");
  await copyFile("Pulumi.prod.yaml", path);
  vi.stubEnv("PULUMI_OPTION_CWD", folder);
  vi.stubEnv("GIT_CONFIG_GLOBAL", "/dev/null");
  vi.stubEnv("GEOCLIC_ACTOR", "Marie Dupont");
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

describe("outside git", () => {
  test("an edit is written, with the mode that the file had", async () => {
    await detach();
    expect(await readFile(path, "utf8")).toContain("detached: true\n");
    expect((await stat(path)).mode & 0o777).toBe((await stat("Pulumi.prod.yaml")).mode & 0o777);
  });

  test("an edit whose lock another process took over writes nothing", async () => {
    const before = await readFile(path, "utf8");
    const file = await stackFile("prod");
    const edit = file.editClients((clients) => {
      clients.set("chambery", "detached", true);
      rmSync(`${path}.lock`, { recursive: true });
      mkdirSync(`${path}.lock`);
    });
    await expect(edit).rejects.toMatchObject({ code: "LOCK_LOST" });
    expect(await readFile(path, "utf8")).toBe(before);
  });

  test("edits at the same time all arrive", async () => {
    const names = ["ville-lyon", "aix-les-bains", "chambery"];
    await Promise.all(names.map((name) => detach({}, name)));
    const { clients } = await (await stackFile("organization/geoclic-fleet/prod")).read();
    expect(clients.map(({ detached }) => detached)).toEqual([true, true, true]);
  });

  test.each([
    ["a wrong value", (text: string) => text, "CONFIG_INVALID"],
    [
      "a file that was wrong before",
      (text: string) => text.replace("geoclic-fleet:build", "geoclic-fleet:bild"),
      "CONFIG_INVALID",
    ],
    ["a file that is no YAML", (text: string) => `${text}\n  : [`, "STACK_FILE_UNREADABLE"],
  ])("%s writes nothing", async (_, make, code) => {
    const before = make(await readFile(path, "utf8"));
    await writeFile(path, before);
    const edit = (await stackFile("prod")).editClients((clients) =>
      clients.set("chambery", "ip", "1.2.3.4;reboot"),
    );
    await expect(edit).rejects.toMatchObject({ code });
    expect(await readFile(path, "utf8")).toBe(before);
  });

  test.each([
    ["dev", "STACK_FILE_MISSING"],
    ["../prod", "STACK_NAME_INVALID"],
    ["..", "STACK_NAME_INVALID"],
    ["-x", "STACK_NAME_INVALID"],
    ["", "STACK_NAME_INVALID"],
    ["a b", "STACK_NAME_INVALID"],
  ])("the stack %j is refused", async (stack, code) => {
    await expect(stackFile(stack)).rejects.toMatchObject({ code });
  });
});

describe("in git", () => {
  beforeEach(async () => {
    await git(["init", "-q", "-b", "main"]);
    await writeFile(join(folder, "other.txt"), "one\n");
    await git(["add", "."]);
    await git(["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "First"]);
  });

  test("an edit is one commit of that file alone, with the actor's name", async () => {
    await writeFile(join(folder, "other.txt"), "two\n");
    await writeFile(join(folder, "staged.txt"), "new\n");
    await git(["add", "staged.txt"]);
    await detach();
    expect(await git(["log", "-1", "--format=%an|%cn|%s", "--name-only"])).toBe(
      "Marie Dupont|Marie Dupont|Detach ville-lyon\n\nPulumi.prod.yaml",
    );
    expect(await git(["status", "--porcelain"])).toBe(
      "A  staged.txt\n M other.txt".split("\n").toReversed().join("\n"),
    );
  });

  test("an edit that changes nothing is no commit", async () => {
    await detach();
    await detach();
    expect(await git(["rev-list", "--count", "HEAD"])).toBe("2");
  });

  test("without an actor the one of git signs", async () => {
    vi.stubEnv("GEOCLIC_ACTOR", "");
    await git(["config", "user.name", "Jean Petit"]);
    await detach();
    expect(await git(["log", "-1", "--format=%an"])).toBe("Jean Petit");
  });

  test("--no-commit leaves the edit in the working tree", async () => {
    await detach({ commit: false });
    expect(await git(["status", "--porcelain"])).toBe(" M Pulumi.prod.yaml");
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      "has somebody's changes",
      async () => writeFile(path, `${await readFile(path, "utf8")}# mine\n`),
      "STACK_FILE_DIRTY",
    ],
    [
      "has somebody's staged changes",
      async () => {
        await writeFile(path, `${await readFile(path, "utf8")}# mine\n`);
        await git(["add", "."]);
      },
      "STACK_FILE_DIRTY",
    ],
    [
      "is not in git yet",
      () =>
        git(["rm", "-q", "--cached", "Pulumi.prod.yaml"]).then(() =>
          git(["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "Out"]),
        ),
      "STACK_FILE_UNTRACKED",
    ],
  ])("a file that %s is refused, and stays", async (_, prepare, code) => {
    await prepare();
    const before = await readFile(path, "utf8");
    await expect(detach()).rejects.toMatchObject({ code });
    expect(await readFile(path, "utf8")).toBe(before);
    await expect((await stackFile("prod")).checkEditable()).rejects.toMatchObject({ code });
    await detach({ commit: false });
  });

  test("a file that git ignores is written and not committed", async () => {
    await git(["rm", "-q", "--cached", "Pulumi.prod.yaml"]);
    await writeFile(join(folder, ".gitignore"), "Pulumi.*.yaml\n");
    await detach();
    expect(await git(["rev-list", "--count", "HEAD"])).toBe("1");
    expect(await readFile(path, "utf8")).toContain("detached: true\n");
  });

  describe("cut between the write and the commit", () => {
    /** As a power cut leaves it: the file is written, and git knows nothing of it. */
    const cut = async () => {
      const hook = join(folder, ".git/hooks/pre-commit");
      await writeFile(hook, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
      await expect(detach()).rejects.toMatchObject({ code: "COMMIT_FAILED" });
      await rm(hook);
    };

    test.each([
      ["the same edit", "ville-lyon"],
      ["another edit", "chambery"],
    ])("%s goes on: what was written is committed under its own message", async (_, name) => {
      await cut();
      await detach({}, name);
      const subjects = (await git(["log", "--format=%s"])).split("\n");
      expect(subjects.filter((subject) => subject === "Detach ville-lyon")).toHaveLength(1);
      expect(subjects[0]).toBe(`Detach ${name}`);
      expect(await git(["status", "--porcelain"])).toBe("");
    });

    test("a check before an edit ends it too", async () => {
      await cut();
      await (await stackFile("prod")).checkEditable();
      expect(await git(["log", "-1", "--format=%s"])).toBe("Detach ville-lyon");
    });

    test("somebody's own change on top is never committed by us", async () => {
      await cut();
      await writeFile(path, `${await readFile(path, "utf8")}# mine\n`);
      await expect(detach({}, "chambery")).rejects.toMatchObject({ code: "STACK_FILE_DIRTY" });
      expect(await git(["log", "--format=%s"])).not.toContain("Detach");
    });
  });

  test("a repository that an editor holds for a moment is waited for", async () => {
    const lock = join(folder, ".git/index.lock");
    await writeFile(lock, "");
    const edit = detach();
    setTimeout(() => rmSync(lock), 600);
    await edit;
    expect(await git(["log", "-1", "--format=%s"])).toBe("Detach ville-lyon");
  });

  test("a commit that a hook refuses is told, with git's words", async () => {
    await writeFile(join(folder, ".git/hooks/pre-commit"), "#!/bin/sh\necho 'not today' >&2; exit 1\n", {
      mode: 0o755,
    });
    await expect(detach()).rejects.toMatchObject({ code: "COMMIT_FAILED", values: { cause: "not today" } });
  });

  describe("with an upstream", () => {
    let remote: string;
    beforeEach(async () => {
      remote = await mkdtemp(join(tmpdir(), "geoclic-remote-"));
      await git(["init", "-q", "--bare", "-b", "main"], remote);
      await git(["remote", "add", "origin", remote]);
      await git(["push", "-q", "-u", "origin", "main"]);
    });
    afterEach(() => rm(remote, { recursive: true, force: true }));

    /** Somebody else's commit, pushed from another checkout. */
    async function pushedByAnother(): Promise<void> {
      const other = await mkdtemp(join(tmpdir(), "geoclic-other-"));
      await git(["clone", "-q", remote, "."], other);
      await writeFile(join(other, "other.txt"), "theirs\n");
      await git(["-c", "user.name=y", "-c", "user.email=y@y", "commit", "-qam", "Theirs"], other);
      await git(["push", "-q"], other);
      await rm(other, { recursive: true });
    }

    test("a checkout that is up to date, or only ahead, is edited", async () => {
      await detach();
      await detach({}, "chambery");
      expect(await git(["rev-list", "--count", "@{upstream}..HEAD"])).toBe("2");
    });

    test("a checkout that is behind is refused, though it did not know", async () => {
      await pushedByAnother();
      await expect(detach()).rejects.toMatchObject({
        code: "CHECKOUT_BEHIND",
        values: { behind: 1, ahead: 0 },
      });
    });

    test("a checkout that diverged is refused", async () => {
      await detach();
      await pushedByAnother();
      await expect(detach({}, "chambery")).rejects.toMatchObject({
        code: "CHECKOUT_BEHIND",
        values: { behind: 1, ahead: 1 },
      });
      expect(await readFile(path, "utf8")).toBe(
        await git(["show", "HEAD:Pulumi.prod.yaml"]).then((text) => `${text}\n`),
      );
    });

    test("what is begun goes on: later edits of one command ask nobody, and where it stands is told", async () => {
      const file = await stackFile("prod");
      const pinned = (name: string) =>
        file.editClients((clients) => clients.set(name, "detached", true), name);
      await file.checkEditable();
      await pushedByAnother();
      await pinned("ville-lyon");
      expect(await file.standing()).toEqual({ upstream: "origin/main", ahead: 1, behind: 1 });
      await rm(remote, { recursive: true });
      await pinned("chambery");
      expect(await file.standing()).toMatchObject({ ahead: 2, behind: 1, cause: expect.any(String) });
      await expect(file.checkEditable()).rejects.toMatchObject({ code: "CHECKOUT_UNCERTAIN" });
    });

    test("a remote that does not answer leaves it uncertain", async () => {
      await rm(remote, { recursive: true });
      await expect(detach()).rejects.toMatchObject({ code: "CHECKOUT_UNCERTAIN" });
    });
  });
});
