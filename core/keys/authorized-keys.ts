/**
 * @module The fleet's keys in the `authorized_keys` of a server's user. Every edit can be repeated. The file is touched only when
 * it would change, and never half: an empty one would lock everybody out.
 */
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
  return edit([`s|^${entry(parts(old).pattern)}$|&\\n\\1${copy}|`]);
}

/** The key on a line of its own, where no line of the old one tells its options. */
export function addAlone(added: string): Command {
  const { type, blob } = parts(added);
  const line = `restrict,pty,port-forwarding ${type} ${blob} geoclic-fleet`;
  return edit([`1i ${line}`]);
}

/**
 * Restricts the fleet's keys: no agent, X11 or tunnel device. Other options of theirs, such as `from=`, stay, and so do keys
 * that are not the fleet's.
 */
export function restrictKeys(keys: readonly string[]): Command {
  return edit(
    keys.flatMap((each) => {
      const [type, blob = ""] = each.split(" ");
      const key = `${type}[[:space:]]+${escapeRegex(blob)}([[:space:]].*)?`;
      return [
        `s|^[[:space:]]*${key}$|restrict,pty,port-forwarding ${type} ${blob} geoclic-fleet|`,
        `/^([^#]*,)?restrict[,[:space:]]/!s|^([^#]+[[:space:]]${key})$|restrict,pty,port-forwarding,\\1|`,
      ];
    }),
  );
}

/** Takes the fleet's keys (`type base64`) out; everybody else's stay. */
export function removeKeys(keys: readonly string[]): Command {
  return edit(
    keys.map((each) => {
      const [type = "", blob = ""] = each.split(" ");
      return `\\|^(.*[[:space:],])?${type}[[:space:]]+${escapeRegex(blob)}([[:space:]].*)?$|d`;
    }),
  );
}

/** Expressions of sed, by a copy beside the file that is on the disk before it takes the file's name. */
function edit(expressions: readonly string[]): Command {
  const script = [
    "set -e",
    `f=$(readlink -f ${file})`,
    'n=$(mktemp "$f.XXXXXX")',
    `trap 'rm -f "$n"' EXIT`,
    'sed -E "$@" >"$n"',
    'if cmp -s "$f" "$n"; then exit 0; fi',
    'chmod --reference="$f" "$n"',
    'sync "$n"',
    'mv -T "$n" "$f"',
    'sync "$(dirname "$f")"',
  ].join("; ");
  return ["sh", "-c", script, "sh", ...expressions.flatMap((each) => ["-e", each]), file];
}

function escapeRegex(base64: string): string {
  return base64.replaceAll("+", "\\+");
}

/** `type base64` of a public key. */
export function bareKey(key: string): string {
  const { type, blob } = parts(key);
  return `${type} ${blob}`;
}

function parts(key: string): { type: string; blob: string; pattern: string } {
  const [, type, blob] = publicKey.exec(key) ?? [];
  if (type === undefined || blob === undefined) throw new RangeError("expected a public key of ssh-ed25519");
  return { type, blob, pattern: `${type}[ \\t]+${escapeRegex(blob)}` };
}

/** A line of a key; its options and the blank behind them are the first group. */
function entry(pattern: string): string {
  return `([ \\t]*([^# \\t].*[ \\t])?)${pattern}([ \\t].*)?`;
}
