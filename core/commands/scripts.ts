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
 * Gives the fleet's keys in `authorized_keys` the options that design asks: no agent, X11 or tunnel device.
 * Keys that are not the fleet's stay as they are.
 */
export function restrictKeys(keys: readonly string[]): Command {
  const edits = keys.map((key) => {
    const [type, blob] = key.split(" ");
    const pattern = `^([^#]*[[:space:]])?${type}[[:space:]]+${escapeRegex(blob ?? "")}.*$`;
    return `s|${pattern}|restrict,pty,port-forwarding ${type} ${blob} geoclic-fleet|`;
  });
  return ["sed", "-E", "-i", ...edits.flatMap((edit) => ["-e", edit]), ".ssh/authorized_keys"];
}

function escapeRegex(base64: string): string {
  return base64.replaceAll("+", "\\+");
}
