/** @module Puts the server's scripts in place. */
import { serverPaths } from "../naming.ts";
import type { Command } from "./shell.ts";

/** Beside the scripts: what `sha256sum --check` reads. */
export const scriptSums = ".sums";

/**
 * Unpacks a tar archive from standard input as the scripts of one hash and makes them the current ones. Each name is given once
 * its content is on the disk, and their sums lie beside them: a name alone proves nothing after a power cut.
 */
export function installScripts(hash: string): Command {
  const folder = `${serverPaths.scriptVersions}/${hash}`;
  const script = [
    "set -e",
    "umask 022",
    `mkdir -p ${serverPaths.scriptVersions}`,
    `rm -rf ${folder}.partial`,
    `mkdir ${folder}.partial`,
    `tar -x --no-same-owner -C ${folder}.partial`,
    `cd ${folder}.partial`,
    `find . -type f ! -name ${scriptSums} -exec sha256sum {} + >${scriptSums}`,
    "cd /",
    `sync -f ${folder}.partial`,
    // A command may run from the folder of this name: it is away for no longer than between two renames.
    `rm -rf ${folder}.former`,
    `[ ! -e ${folder} ] || mv -T ${folder} ${folder}.former`,
    `mv -T ${folder}.partial ${folder}`,
    `ln -sfn server.d/${hash} ${serverPaths.scripts}.new`,
    `sync -f ${serverPaths.scriptVersions}`,
    `mv -T ${serverPaths.scripts}.new ${serverPaths.scripts}`,
    `sync -f ${serverPaths.root}`,
    `rm -rf ${folder}.former`,
  ].join("; ");
  return ["sudo", "-n", "sh", "-c", script];
}
