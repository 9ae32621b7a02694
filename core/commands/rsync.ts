/** @module rsync of an immutable release tree to a server. */
import { releaseFolder, serverPaths } from "../naming.ts";
import { type Command, toShell } from "./shell.ts";

export interface RsyncRelease {
  readonly client: string;
  /** Local folder of the release. */
  readonly source: string;
  readonly release: string;
  /** Releases that the server already has; unchanged files are hard links to theirs. */
  readonly linkTo: readonly string[];
  /** Path of the `ssh_config`. */
  readonly sshConfig: string;
}

/**
 * Sends a release into `<id>.partial`, which is renamed when it is whole.
 * By checksum and without times, so that an unchanged file is the same file on every operator's machine.
 */
export function rsyncRelease(options: RsyncRelease): Command {
  return [
    "rsync",
    "--recursive",
    "--links",
    "--perms",
    "--checksum",
    "--delete",
    "--compress",
    "--stats",
    "--timeout=60",
    "--chown=root:root",
    `--rsh=${toShell(["ssh", "-F", options.sshConfig])}`,
    "--rsync-path=sudo -n rsync",
    ...options.linkTo.slice(0, 20).map((id) => `--link-dest=${releaseFolder(id)}`),
    `${options.source}/`,
    `${options.client}:${releaseFolder(options.release)}.partial/`,
  ];
}

/** One that is there counts as delivered now: a run that ends before its activation removes it no more. */
export function keepRelease(release: string): Command {
  return ["sudo", "-n", "touch", "--no-create", releaseFolder(release)];
}

/** Makes a whole `<id>.partial` the release, by one rename, once it is on the disk. */
export function completeRelease(release: string): Command {
  const folder = releaseFolder(release);
  return rootScript(
    `sync -f ${folder}.partial`,
    `mv -T ${folder}.partial ${folder}`,
    `sync -f ${serverPaths.releases}`,
  );
}

/** Makes a whole `<id>.partial` the release in the place of one that was changed; cut in between, it is delivered anew. */
export function replaceRelease(release: string): Command {
  const folder = releaseFolder(release);
  return rootScript(
    `sync -f ${folder}.partial`,
    `rm -rf ${folder}.changed`,
    `mv -T ${folder} ${folder}.changed`,
    `mv -T ${folder}.partial ${folder}`,
    `sync -f ${serverPaths.releases}`,
    `rm -rf ${folder}.changed`,
  );
}

function rootScript(...lines: readonly string[]): Command {
  return ["sudo", "-n", "sh", "-c", ["set -e", ...lines].join("; ")];
}

export interface RsyncStats {
  readonly files: number;
  readonly transferred: number;
  readonly bytesSent: number;
}

/** Reads `rsync --stats` (rsync 3.2). Missing figures are 0. */
export function readRsyncStats(output: string): RsyncStats {
  const figure = (label: string) =>
    Number(new RegExp(`^${label}: ([\\d,.]+)`, "m").exec(output)?.[1]?.replaceAll(/[,.]/g, "") ?? 0);
  return {
    files: figure("Number of files"),
    transferred: figure("Number of regular files transferred"),
    bytesSent: figure("Total bytes sent"),
  };
}
