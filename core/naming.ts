/** @module Every physical name: paths on a server, images, children of a client. */

/** Root of everything that the tool owns on a server. */
export const serverRoot = "/opt/geoclic";

export const serverPaths = {
  root: serverRoot,
  releases: `${serverRoot}/releases`,
  current: `${serverRoot}/current`,
  scripts: `${serverRoot}/server`,
  scriptVersions: `${serverRoot}/server.d`,
  env: `${serverRoot}/shared/env`,
  tls: `${serverRoot}/shared/tls`,
  acme: `${serverRoot}/shared/acme`,
  logs: `${serverRoot}/shared/logs`,
  binds: `${serverRoot}/shared/binds`,
  static: `${serverRoot}/shared/static`,
  public: `${serverRoot}/shared/public`,
} as const;

/** Path at which a town shows its running release. */
export const releaseRoute = "/.well-known/geoclic-fleet/release";

export function releaseFolder(release: string): string {
  return `${serverPaths.releases}/${release}`;
}

/** Image of a service by its content key, e.g. `geoclic/api:9f8e7d6c5b4a`. */
export function imageName(suite: string, service: string, contentKey: string): string {
  return `${suite}/${service}:${contentKey}`;
}

/** Logical name of a client's child, e.g. `ville-lyon-certificate`. */
export function childName(client: string, role: string): string {
  return `${client}-${role}`;
}

/** Names a release by its content: 12 characters of 0-9a-f. */
export function isReleaseId(text: string): boolean {
  return /^[0-9a-f]{12}$/.test(text);
}
