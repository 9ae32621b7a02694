/** @module Commands that the registry's verbs run on a server. */

import type { Command } from "../commands/shell.ts";
import { serverPaths } from "../naming.ts";

/** A file of a backup, to standard output. */
export function sendBackup(folder: string, file: string): Command {
  return ["sudo", "-n", "cat", "--", `${serverPaths.root}/shared/backups/${folder}/${file}`];
}

/** Takes the fleet's keys (`type base64`) out of the user's `authorized_keys`; everybody else's stay. */
export function removeKeys(keys: readonly string[]): Command {
  const edits = keys.flatMap((publicKey) => {
    const [type = "", blob = ""] = publicKey.split(" ");
    const key = `${type}[[:space:]]+${blob.replaceAll("+", "\\+")}`;
    return ["-e", `\\|^(.*[[:space:],])?${key}([[:space:]].*)?$|d`];
  });
  return ["sed", "-E", "-i", ...edits, ".ssh/authorized_keys"];
}
