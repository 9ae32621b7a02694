/** @module Commands that the registry's verbs run on a server. */

import type { Command } from "../commands/shell.ts";
import { serverPaths } from "../naming.ts";

/** A file of a backup, to standard output. */
export function sendBackup(folder: string, file: string): Command {
  return ["sudo", "-n", "cat", "--", `${serverPaths.root}/shared/backups/${folder}/${file}`];
}
