/**
 * @module What the program relies on in plugin command: commands on this machine. Does not prove anything of assets and
 * archives, of Windows, nor whether stdout is secret because a line is.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Engine, isSecret, type Program } from "./engine.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
  await mkdir(join(engine.folder, "elsewhere"));
});
afterAll(async () => {
  await engine?.end();
});

/** Each command runs in the engine's folder unless it says otherwise. */
function program(commands: Readonly<Record<string, local.CommandArgs>>): Program {
  return () => {
    for (const [name, inputs] of Object.entries(commands))
      new local.Command(name, { dir: engine.folder, ...inputs });
    return {};
  };
}

/** A line that leaves a trace, so that it is known what ran how often. */
const trace = (name: string, text: string) => `echo "${text}" >>${name}.trace`;

async function traced(...names: string[]): Promise<Record<string, string[]>> {
  const entries = names.map(async (name): Promise<[string, string[]]> => {
    const text = await readFile(join(engine.folder, `${name}.trace`), "utf8").catch(() => "");
    return [name, text.split("\n").slice(0, -1)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function outputs(name: string): Promise<{ stdout: unknown; stderr: unknown }> {
  const { stdout, stderr } = (await engine.resource(name)).outputs;
  return { stdout, stderr };
}

describe("a life", () => {
  const previous = {
    create: "echo out; echo err >&2",
    update: 'echo "was $PULUMI_COMMAND_STDOUT and $PULUMI_COMMAND_STDERR"',
  };
  /** What the changed inputs of the second half differ in. */
  const commands = (changed: boolean): Readonly<Record<string, local.CommandArgs>> => ({
    streams: { create: `${trace("streams", "create")}; printf 'out\\n\\n'; printf ' err \\n' >&2` },
    environment: {
      create: trace("environment", "create $COLOUR"),
      update: trace("environment", "update $COLOUR"),
      environment: { COLOUR: changed ? "green" : "red" },
    },
    stdin: { create: "cat >>stdin.trace", stdin: changed ? "second\n" : "first\n" },
    line: { create: trace("line", changed ? "new" : "old"), update: trace("line", "update") },
    alone: { create: trace("alone", changed ? "new" : "old") },
    triggered: {
      create: trace("triggered", changed ? "create again" : "create"),
      delete: trace("triggered", changed ? "delete again" : "delete"),
      triggers: [changed ? 2 : 1],
    },
    deleted: { create: trace("deleted", "create"), delete: trace("deleted", "delete") },
    where: { create: 'pwd; echo "$0"', dir: join(engine.folder, "elsewhere") },
    interpreter: { create: 'echo "$-"; false; true', interpreter: ["/bin/bash", "-uc"] },
    silent: { delete: "true" },
    previous: { ...previous, environment: { N: changed ? "2" : "1" } },
    forgetful: { ...previous, environment: { N: changed ? "2" : "1" }, addPreviousOutputInEnv: false },
  });
  const all = () => Object.keys(commands(false)).length;
  const names = ["streams", "environment", "stdin", "line", "alone", "triggered", "deleted"];
  const created = {
    streams: ["create"],
    environment: ["create red"],
    stdin: ["first"],
    line: ["old"],
    alone: ["old"],
    triggered: ["create"],
    deleted: ["create"],
  };

  test("preview runs nothing", async () => {
    expect(await engine.preview(program(commands(false)))).toEqual({ create: all() + 1 });
    expect(Object.values(await traced(...names)).flat()).toEqual([]);
  });

  test("up runs `create` once and keeps both streams less one newline", async () => {
    expect((await engine.up(program(commands(false)))).changes).toEqual({ create: all() + 1 });
    expect(await traced(...names)).toEqual(created);
    expect(await outputs("streams")).toEqual({ stdout: "out\n", stderr: " err " });
    expect(await outputs("where")).toEqual({
      stdout: `${join(engine.folder, "elsewhere")}\n/bin/sh`,
      stderr: "",
    });
    expect((await outputs("interpreter")).stdout).toMatch(/u/);
    expect(await outputs("silent")).toEqual({ stdout: "", stderr: "" });
    expect(await outputs("previous")).toEqual({ stdout: "out", stderr: "err" });
  });

  test("nothing runs while nothing changes: up, refresh, preview of a change", async () => {
    expect((await engine.up(program(commands(false)))).changes).toEqual({ same: all() + 1 });
    expect(await engine.refresh()).toEqual({ same: all() + 1 });
    expect(await engine.preview(program(commands(true)))).toEqual({ same: 6, update: 6, replace: 1 });
    expect(await traced(...names)).toEqual(created);
    expect(await outputs("streams")).toEqual({ stdout: "out\n", stderr: " err " });
  });

  test("a changed input runs `update`, or `create` where there is none; triggers replace", async () => {
    const { changes } = await engine.up(program(commands(true)));
    expect(changes).toEqual({ same: 6, update: 6, replace: 1 });
    expect(await traced(...names)).toEqual({
      ...created,
      environment: ["create red", "update green"],
      stdin: ["first", "second"],
      line: ["old", "update"],
      alone: ["old", "new"],
      triggered: ["create", "create again", "delete"],
    });
    expect((await outputs("previous")).stdout).toBe("was out and err");
    expect((await outputs("forgetful")).stdout).toBe("was  and ");
  });

  test("destroy runs `delete`", async () => {
    await engine.destroy();
    const { triggered, deleted, streams } = await traced(...names);
    expect({ triggered: triggered?.at(-1), deleted, streams }).toEqual({
      triggered: "delete again",
      deleted: ["create", "delete"],
      streams: ["create"],
    });
  });
});

describe("a failure", () => {
  const failing = { create: `${trace("failing", "create")}; echo told; echo "warned" >&2; exit 3` };

  test("is told with its status, its line and its output, and leaves nothing behind", async () => {
    const told = await engine.failingUp(program({ failing }));
    expect(told).toContain(`exit status 3: running ${JSON.stringify(failing.create)}:`);
    // Two streams: which one comes first is not decided.
    expect(told).toMatch(/running ".*":\s+(told\s+warned|warned\s+told)\s/);
    await expect(engine.resource("failing")).rejects.toThrow("no resource failing");
    await engine.failingUp(program({ failing }));
    expect(await traced("failing")).toEqual({ failing: ["create", "create"] });
  });

  test("of an update keeps the former state, so that the next up runs it again", async () => {
    const updated = (line: string): Program =>
      program({ updated: { create: "echo good", update: line, environment: { LINE: line } } });
    await engine.up(updated("true"));
    expect(await engine.failingUp(updated("exit 4"))).toContain('exit status 4: running "exit 4":');
    expect(await outputs("updated")).toEqual({ stdout: "good", stderr: "" });
    expect((await engine.up(updated("echo mended"))).changes).toEqual({ same: 1, update: 1 });
    expect((await outputs("updated")).stdout).toBe("mended");
  });
});

describe("what is kept and shown", () => {
  test("secret inputs are kept as ciphertext only", async () => {
    const run = await engine.up(
      program({
        secretStdin: { create: "wc -c", stdin: pulumi.secret("hidden-stdin"), logging: "none" },
        secretLine: { create: pulumi.secret(": hidden-line"), logging: "none" },
        secretVariable: { create: "true", environment: { A: pulumi.secret("hidden-variable") } },
      }),
    );
    expect(String((await outputs("secretStdin")).stdout).trim()).toBe("12");
    expect(isSecret((await engine.resource("secretStdin")).outputs.stdin)).toBe(true);
    expect(isSecret((await engine.resource("secretLine")).outputs.create)).toBe(true);
    for (const text of [await engine.kept(), run.printed]) expect(text).not.toMatch(/hidden-/);
  });

  test("`logging` decides which streams are shown", async () => {
    const modes = ["none", "stdout", "stderr", "stdoutAndStderr"] as const;
    const line = (name: string) => ({ create: `echo ${name}-out; echo ${name}-err >&2` });
    const commands: Record<string, local.CommandArgs> = { default: line("default") };
    for (const logging of modes) commands[logging] = { ...line(logging), logging };
    const { printed } = await engine.up(program(commands));
    const shown = Object.keys(commands).flatMap((name) =>
      ["out", "err"].map((stream) => `${name}-${stream}`).filter((text) => printed.includes(text)),
    );
    expect(shown.sort()).toEqual([
      "default-err",
      "default-out",
      "stderr-err",
      "stdout-out",
      "stdoutAndStderr-err",
      "stdoutAndStderr-out",
    ]);
    expect(await outputs("none")).toEqual({ stdout: "none-out", stderr: "none-err" });
  });
});
