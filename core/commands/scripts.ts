/** @module Puts the server's scripts and the key's restrictions in place. */
import { serverPaths } from "../naming.ts";
import type { Command } from "./shell.ts";

/** Unpacks a tar archive from standard input as the scripts of one hash and makes them the current ones. */
export function installScripts(hash: string): Command {
  const folder = `${serverPaths.scriptVersions}/${hash}`;
  const script = [
    "set -e",
    "umask 022",
    `mkdir -p ${serverPaths.scriptVersions}`,
    `rm -rf ${folder}.partial`,
    `mkdir ${folder}.partial`,
    `tar -x --no-same-owner -C ${folder}.partial`,
    `rm -rf ${folder}`,
    `mv -T ${folder}.partial ${folder}`,
    `ln -sfn server.d/${hash} ${serverPaths.scripts}.new`,
    `mv -T ${serverPaths.scripts}.new ${serverPaths.scripts}`,
  ].join("; ");
  return ["sudo", "-n", "sh", "-c", script];
}

/**
 * Restricts the fleet's keys in `authorized_keys`: no agent, X11 or tunnel device. Other options of theirs, such as
 * `from=`, stay, and so do keys that are not the fleet's.
 */
export function restrictKeys(keys: readonly string[]): Command {
  const edits = keys.flatMap((publicKey) => {
    const [type, blob] = publicKey.split(" ");
    const key = `${type}[[:space:]]+${escapeRegex(blob ?? "")}([[:space:]].*)?`;
    return [
      `s|^[[:space:]]*${key}$|restrict,pty,port-forwarding ${type} ${blob} geoclic-fleet|`,
      `/^([^#]*,)?restrict[,[:space:]]/!s|^([^#]+[[:space:]]${key})$|restrict,pty,port-forwarding,\\1|`,
    ];
  });
  return ["sed", "-E", "-i", ...edits.flatMap((edit) => ["-e", edit]), ".ssh/authorized_keys"];
}

function escapeRegex(base64: string): string {
  return base64.replaceAll("+", "\\+");
}
