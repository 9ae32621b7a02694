/** @module Commands are values: a list of words, quoted by one function when a shell must read them. */

/** Words of a command; the first is the program. */
export type Command = readonly [string, ...string[]];

/**
 * One shell line of a command, every word quoted where it must be.
 * @throws RangeError when a word holds a NUL byte, which no shell can carry
 */
export function toShell(command: Command): string {
  return command.map(quote).join(" ");
}

/** A command of the server's tool set, run as root by the SSH user. */
export function serverCommand(name: string, ...options: string[]): Command {
  return ["sudo", "-n", `/opt/geoclic/server/${name}`, ...options];
}

/**
 * The same command of the server's tool set, ended over there by the time: what nobody waits for any more must not go on.
 * Under sudo, whose processes nobody else may signal.
 */
export function withinSeconds(seconds: number, [sudo, option, ...words]: Command): Command {
  if (sudo !== "sudo" || option !== "-n") throw new RangeError("expected a command run by sudo -n");
  return ["sudo", "-n", "timeout", "--kill-after=5", String(seconds), ...words];
}

/** A command run by `sudo -n` that ends when its standard input does, and so with the connection that it came by. */
export function untilClosed([sudo, option, ...words]: Command): Command {
  if (sudo !== "sudo" || option !== "-n") throw new RangeError("expected a command run by sudo -n");
  const script =
    'exec 3<&0; "$@" </dev/null 3<&- & work=$!; { cat <&3 >/dev/null; kill "$work"; } 2>/dev/null & watch=$!; exec 3<&-; ' +
    'wait "$work"; status=$?; kill "$watch" 2>/dev/null; exit "$status"';
  return ["sudo", "-n", "sh", "-c", script, "sh", ...words];
}

function quote(word: string): string {
  if (word.includes("\0")) throw new RangeError("a NUL byte cannot be part of a command");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
