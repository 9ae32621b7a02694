/** @module Debian trees made with mmdebstrap: the engine's, the services', the servers'. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cached } from "./cache.ts";
import { ASSETS } from "./layout.ts";
import { aptSources, type Mirrors } from "./mirrors.ts";

export interface Rootfs {
  readonly name: string;
  readonly suite: "bookworm" | "trixie";
  readonly packages: readonly string[];
  /** Script in `assets/rootfs/` run with the tree's path, or none. */
  readonly customize?: string;
  /** A folder is run in place, a tar is imported as an image. */
  readonly format: "folder" | "tar";
}

export const ENGINE_ROOTFS: Rootfs = {
  name: "engine",
  suite: "trixie",
  format: "folder",
  packages: [
    "ca-certificates",
    "docker-buildx",
    "docker-cli",
    "docker-compose",
    "docker.io",
    "iproute2",
    "iptables",
    "kmod",
    "nftables",
    "xz-utils",
  ],
};

export const SERVICES_ROOTFS: Rootfs = {
  name: "services.tar",
  suite: "trixie",
  format: "tar",
  packages: ["ca-certificates", "dnsmasq-base", "docker-registry", "nginx-light", "pebble"],
};

/** What OVH's Debian 13 image has: neither Docker nor certbot. */
export const SERVER_ROOTFS: Rootfs = {
  name: "server.tar",
  suite: "trixie",
  format: "tar",
  customize: "server.sh",
  packages: [
    "apt-utils",
    "ca-certificates",
    "cron",
    "curl",
    "dbus",
    "init",
    "iproute2",
    "iputils-ping",
    "less",
    "libpam-systemd",
    "openssh-server",
    "openssl",
    "procps",
    "python3",
    "rsync",
    "sudo",
    "systemd-sysv",
    "tzdata",
    "vim-tiny",
    "wget",
    "xz-utils",
  ],
};

/** What OVH's Debian 12 image has. */
export const SERVER_12_ROOTFS: Rootfs = { ...SERVER_ROOTFS, name: "server-12.tar", suite: "bookworm" };

/** The same as Debian 13's with the packages that the tool's base step installs, for tests of what comes after it. */
export const PREPARED_ROOTFS: Rootfs = {
  ...SERVER_ROOTFS,
  name: "prepared.tar",
  packages: [
    ...SERVER_ROOTFS.packages,
    "certbot",
    "docker-buildx",
    "docker-cli",
    "docker-compose",
    "docker.io",
    "logrotate",
    "nftables",
    "restic",
    "unattended-upgrades",
  ],
};

export function debianRootfs(suite: "bookworm" | "trixie"): Rootfs {
  return { name: `debian-${suite}.tar`, suite, format: "tar", packages: ["ca-certificates"] };
}

const OPTIONS = [
  "--quiet",
  "--mode=root",
  "--variant=minbase",
  // Mirrors of closed networks are often frozen at a date.
  '--aptopt=Acquire::Check-Valid-Until "false"',
  '--aptopt=Acquire::Check-Date "false"',
  '--aptopt=Acquire::Languages "none"',
  '--aptopt=Acquire::Retries "3"',
  // A tree that a power cut breaks is simply built again.
  "--dpkgopt=force-unsafe-io",
  ...["doc", "man", "locale", "info"].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
];

/**
 * The cached tree, built when absent.
 * @param proxy URL of an apt cache to download through; it leaves no trace in the tree.
 */
export async function ensureRootfs(rootfs: Rootfs, mirrors: Mirrors, proxy?: string): Promise<string> {
  const hook = rootfs.customize === undefined ? undefined : join(ASSETS, "rootfs", rootfs.customize);
  const script = hook === undefined ? "" : await readFile(hook, "utf8");
  const options = [
    ...OPTIONS,
    `--format=${rootfs.format === "tar" ? "tar" : "directory"}`,
    `--include=${rootfs.packages.join(",")}`,
  ];
  return cached(rootfs.name, { suite: rootfs.suite, options, mirrors, script }, async (path) => {
    await execa(
      "mmdebstrap",
      [
        ...options,
        ...(proxy === undefined ? [] : [`--aptopt=Acquire::http::Proxy "${proxy}"`]),
        ...(hook === undefined ? [] : [`--customize-hook=${hook} "$1"`]),
        '--customize-hook=sed -i "/Proxy/d" "$1/etc/apt/apt.conf.d/99mmdebstrap"',
        rootfs.suite,
        path,
        "-",
      ],
      { input: aptSources(rootfs.suite, mirrors) },
    );
  });
}
