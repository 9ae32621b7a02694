/** What happens to authorized_keys, by a real shell. Not proven: that sshd takes the options (see test/lab), a power cut. */
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Command } from "../commands/shell.ts";
import { restrictKeys } from "./authorized-keys.ts";

const key = "ssh-ed25519 AAAAC3Nza+C1/lZDI1NTE5AAAAI=";
const restricted = `restrict,pty,port-forwarding ${key} geoclic-fleet`;

/** A home with an `authorized_keys`. */
function home(text: string): { file: string; run: (command: Command) => void } {
  const folder = mkdtempSync(join(tmpdir(), "geoclic-home-"));
  mkdirSync(join(folder, ".ssh"));
  const file = join(folder, ".ssh/authorized_keys");
  writeFileSync(file, text, { mode: 0o600 });
  return {
    file,
    run: ([program, ...words]) => void execFileSync(program, words, { cwd: folder, stdio: "pipe" }),
  };
}

function edit(input: string, keys = [key]): string {
  const { file, run } = home(input);
  run(restrictKeys(keys));
  return readFileSync(file, "utf8");
}

describe("restricting the fleet's key", () => {
  test.each([
    ["a bare key", key, restricted],
    ["a key with a comment", `${key} me@laptop`, restricted],
    ["a key after blanks", `  ${key}`, restricted],
    [
      "a key with an address",
      `from="10.0.0.1" ${key} c`,
      `restrict,pty,port-forwarding,from="10.0.0.1" ${key} c`,
    ],
    [
      "a key with a blank in an option",
      `from="10.0.0.1",environment="A=b c" ${key}`,
      `restrict,pty,port-forwarding,from="10.0.0.1",environment="A=b c" ${key}`,
    ],
    ["a key restricted already", restricted, restricted],
    [
      "a key restricted by hand",
      `from="10.0.0.1",restrict,pty ${key} c`,
      `from="10.0.0.1",restrict,pty ${key} c`,
    ],
    ["a key that is commented out", `# ${key}`, `# ${key}`],
    [
      "another key",
      "ssh-ed25519 AAAAC3NzaXC1/lZDI1NTE5AAAAI= me",
      "ssh-ed25519 AAAAC3NzaXC1/lZDI1NTE5AAAAI= me",
    ],
    ["a longer key", `${key}=`, `${key}=`],
    ["nothing", "", ""],
  ])("%s", (_, before, after) => {
    const once = edit(`${before}\n`);
    expect(once).toBe(`${after}\n`);
    expect(edit(once)).toBe(once);
  });

  test("restricts every key of the fleet, while it is rotated", () => {
    const next = "ssh-ed25519 BBBB";
    expect(edit(`${key}\n${next} x\n`, [key, next])).toBe(
      `${restricted}\nrestrict,pty,port-forwarding ${next} geoclic-fleet\n`,
    );
  });
});

describe("the file", () => {
  test("is not touched when nothing would change", () => {
    const { file, run } = home(`${restricted}\n`);
    const before = statSync(file);
    run(restrictKeys([key]));
    const after = statSync(file);
    expect([after.ino, after.mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  test("keeps its rights, and nothing lies beside it", () => {
    const { file, run } = home(`${key}\n`);
    run(restrictKeys([key]));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dirname(file))).toEqual(["authorized_keys"]);
  });

  test("is the one that a link leads to, and the link stays", () => {
    const { file, run } = home("");
    const linked = home(`${key}\n`);
    execFileSync("rm", [file]);
    symlinkSync(linked.file, file);
    run(restrictKeys([key]));
    expect(readFileSync(linked.file, "utf8")).toBe(`${restricted}\n`);
  });

  test("stays whole when it cannot be read as it should", () => {
    const { file, run } = home(`${key}\n`);
    expect(() =>
      run(["sh", "-c", (restrictKeys([key])[2] ?? "").replace("sed -E", "false"), "sh"]),
    ).toThrow();
    expect(readFileSync(file, "utf8")).toBe(`${key}\n`);
    expect(readdirSync(dirname(file))).toEqual(["authorized_keys"]);
  });
});
