/** @module The fleet's keys in the `authorized_keys` of a server's user. Every edit is one rewrite of the file, and repeatable. */
import type { Command } from "../commands/shell.ts";

const file = ".ssh/authorized_keys";
const publicKey = /^(ssh-ed25519) ([A-Za-z0-9+/]{40,200}={0,2})(?: |$)/;

export const readKeys: Command = ["cat", "--", file];

/** Whether a file's text lets a key in; comments do not count. */
export function hasKey(text: string, key: string): boolean {
  const { pattern } = parts(key);
  return text.split("\n").some((line) => new RegExp(`^${entry(pattern)}$`).test(line));
}

/** A copy of each line of the old key with the new one, options and all: `from=`, `restrict`. */
export function addBeside(old: string, added: string): Command {
  const { type, blob } = parts(added);
  const copy = `${type} ${blob} geoclic-fleet`;
  return ["sed", "-E", "-i", "-e", `s|^${entry(parts(old).pattern)}$|&\\n\\1${copy}|`, file];
}

/** The key on a line of its own, where no line of the old one tells its options. */
export function addAlone(added: string): Command {
  const { type, blob } = parts(added);
  const line = `restrict,pty,port-forwarding ${type} ${blob} geoclic-fleet`;
  return ["sed", "-E", "-i", "-e", `1i ${line}`, file];
}

/** `type base64` of a public key. */
export function bareKey(key: string): string {
  const { type, blob } = parts(key);
  return `${type} ${blob}`;
}

function parts(key: string): { type: string; blob: string; pattern: string } {
  const [, type, blob] = publicKey.exec(key) ?? [];
  if (type === undefined || blob === undefined) throw new RangeError("expected a public key of ssh-ed25519");
  return { type, blob, pattern: `${type}[ \\t]+${blob.replaceAll("+", "\\+")}` };
}

/** A line of a key; its options and the blank behind them are the first group. */
function entry(pattern: string): string {
  return `([ \\t]*([^# \\t].*[ \\t])?)${pattern}([ \\t].*)?`;
}
