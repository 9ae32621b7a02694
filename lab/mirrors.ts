/** @module The Debian mirrors that this machine uses, read from its own apt sources. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface Mirrors {
  /** URL of the archive, e.g. `http://deb.debian.org/debian`. */
  readonly debian: string;
  /** URL of the security archive. */
  readonly security: string;
}

const PUBLIC: Mirrors = {
  debian: "http://deb.debian.org/debian",
  security: "http://deb.debian.org/debian-security",
};
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Finds Debian's two archives in the texts of apt sources, in either format; the public ones where there are none. */
export function findMirrors(sources: readonly string[]): Mirrors {
  const urls = sources
    .flatMap((text) => text.split("\n"))
    .filter((line) => /^(URIs:|deb )/.test(line))
    .flatMap((line) => line.split(/\s+/))
    .filter((word) => /^https?:\/\//.test(word))
    .map((url) => url.replace(/\/+$/, ""));
  return {
    debian: urls.find((url) => url.endsWith("/debian")) ?? PUBLIC.debian,
    security: urls.find((url) => url.endsWith("/debian-security")) ?? PUBLIC.security,
  };
}

/** The apt sources (deb822) of Debian `suite`, e.g. `trixie`. */
export function aptSources(suite: string, mirrors: Mirrors): string {
  const entry = (url: string, suites: string) =>
    `Types: deb\nURIs: ${url}\nSuites: ${suites}\nComponents: main\nSigned-By: ${KEYRING}\n`;
  return `${entry(mirrors.debian, `${suite} ${suite}-updates`)}\n${entry(mirrors.security, `${suite}-security`)}`;
}

/** The mirrors of this machine. */
export async function readMirrors(): Promise<Mirrors> {
  const folder = "/etc/apt/sources.list.d";
  const names = (await readdir(folder).catch(() => [])).filter((name) => /\.(list|sources)$/.test(name));
  const files = ["/etc/apt/sources.list", ...names.sort().map((name) => join(folder, name))];
  return findMirrors(await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => ""))));
}
