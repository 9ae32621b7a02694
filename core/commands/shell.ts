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

function quote(word: string): string {
  if (word.includes("\0")) throw new RangeError("a NUL byte cannot be part of a command");
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
