/** What comes next, by tables; edits of `authorized_keys` by the real sed. Not proven: what sshd makes of the file. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Command } from "../commands/shell.ts";
import { addAlone, addBeside, bareKey, hasKey, removeKeys, restrictKeys } from "./authorized-keys.ts";
import { nextServerStep, nextStep } from "./rotation.ts";

const held = (...generations: number[]) =>
  generations.map((generation) => ({ generation, publicKey: `key ${generation}` }));

test.each([
  ["nothing under way", [1], held(1), { step: "begin", generations: [1, 2] }],
  ["nothing under way, later", [4], held(4), { step: "begin", generations: [4, 5] }],
  ["declared, not made", [1, 2], held(1), { step: "make" }],
  ["both are there", [1, 2], held(1, 2), { step: "roll", from: held(1)[0], to: held(2)[0] }],
  ["the old one is declared no more", [2], held(1, 2), { step: "drop", keys: held(1) }],
  ["the file forgot the newer one", [1], held(1, 2), { step: "begin", generations: [1, 2] }],
])("the rotation's next step: %s", (_, declared, keys, expected) => {
  expect(nextStep(declared, keys)).toEqual(expected);
});

test.each([
  [true, false, false, "add"],
  [true, false, true, "add"],
  [true, true, false, "prove"],
  [true, true, true, "remove"],
  [false, true, false, "prove"],
  [false, true, true, "done"],
  [false, false, false, "add"],
])("a server's next step: old %s, new %s, proven %s: %s", (hasOld, hasNew, isProven, expected) => {
  expect(nextServerStep({ hasOld, hasNew, isProven })).toBe(expected);
});

const old = `ssh-ed25519 ${"A".repeat(20)}+/${"B".repeat(46)}`;
const fresh = `ssh-ed25519 ${"C".repeat(20)}/+${"D".repeat(46)}`;
const mine = `ssh-ed25519 ${"E".repeat(68)} jeanne@poste`;

const edited = (text: string, ...commands: Command[]) => {
  const home = mkdtempSync(join(tmpdir(), "geoclic-keys-"));
  mkdirSync(join(home, ".ssh"));
  const file = join(home, ".ssh/authorized_keys");
  writeFileSync(file, text);
  for (const [program, ...words] of commands) execFileSync(program, words, { cwd: home });
  return readFileSync(file, "utf8");
};

test.each([
  [
    "restricted",
    `restrict,pty,port-forwarding ${old} geoclic-fleet`,
    `restrict,pty,port-forwarding ${fresh} geoclic-fleet`,
  ],
  [
    "from one address",
    `from="10.0.0.1,10.0.0.2",restrict,pty ${old} x`,
    `from="10.0.0.1,10.0.0.2",restrict,pty ${fresh} geoclic-fleet`,
  ],
  ["bare", old, `restrict,pty,port-forwarding ${fresh} geoclic-fleet`],
])("a key is added with the options of the old one: %s", (_, line, added) => {
  const text = edited(`${mine}\n${line}\n# end\n`, addBeside(old, `${fresh} x`), restrictKeys([fresh]));
  expect(text).toBe(`${mine}\n${line}\n${added}\n# end\n`);
  expect(hasKey(text, old)).toBe(true);
  expect(hasKey(text, fresh)).toBe(true);
});

test("a last line without an end is not run into", () => {
  expect(edited(`${mine}\n${old}`, addBeside(old, fresh))).toBe(`${mine}\n${old}\n${fresh} geoclic-fleet`);
});

test("a comment is no key, and is not copied", () => {
  const text = `# ${old}\n${mine}\n`;
  expect(hasKey(text, old)).toBe(false);
  expect(edited(text, addBeside(old, fresh))).toBe(text);
});

test("without a line of the old one the key stands alone, restricted", () => {
  expect(edited(`${mine}\n`, addAlone(fresh))).toBe(
    `restrict,pty,port-forwarding ${fresh} geoclic-fleet\n${mine}\n`,
  );
});

test("the old key's lines go, everybody else's stay", () => {
  const text = `${mine}\nfrom="10.0.0.1",restrict ${old} x\n${fresh}\n`;
  expect(edited(text, removeKeys([bareKey(`${old} geoclic-fleet`)]))).toBe(`${mine}\n${fresh}\n`);
});

test.each(["ssh-rsa AAAA x", "ssh-ed25519 A|e", ""])("what is no key of ours makes no command: %j", (key) => {
  expect(() => addAlone(key)).toThrow(RangeError);
});
