/** @module What a server should hold, by hashes of the operator's own store, and what differs from it. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { scriptSums } from "../commands/scripts.ts";
import type { ClientConfig, FleetConfig } from "../config/stack.ts";
import { releaseFolder, serverPaths } from "../naming.ts";
import type { Release } from "../release/release.ts";
import { below, type TreeEntry } from "../release/tree.ts";
import { plainEnvironment, renderEnvironment } from "../render/environment.ts";

/** A file tree on a server. */
export interface ExpectedPlace {
  readonly path: string;
  /** By path: `DIGEST x` or `DIGEST -` of a file, `-> TARGET` of a link; a place that is a file itself has the path ``. */
  readonly entries: Readonly<Record<string, string>>;
  /** Names at the top that are somebody else's. */
  readonly ignored: readonly string[];
  /** Whether the executable bit counts. */
  readonly modes: boolean;
}

/** What the server's command `drift` reads. No secret, but the names of secrets. */
export interface ExpectedServer {
  readonly release: string;
  readonly scripts: string;
  readonly places: readonly ExpectedPlace[];
  /** Lines of the environment file that are no secret. */
  readonly plain: string;
  readonly secrets: readonly string[];
  readonly schedules: Readonly<Record<"CLIENT" | "DOMAIN" | "BACKUP" | "MINUTES", string>>;
  readonly sshPort: number;
  readonly sshUser: string;
  /** Public keys of the fleet, `type base64`. */
  readonly keys: readonly string[];
}

export const DriftAnswer = z.object({
  format: z.literal(1),
  findings: z.array(
    z.object({
      area: z.enum([
        "release",
        "scripts",
        "file",
        "environment",
        "image",
        "container",
        "database",
        "unit",
        "firewall",
        "key",
        "certificate",
      ]),
      item: z.string(),
      kind: z.enum(["changed", "missing", "extra", "stopped", "disabled", "foreign", "expiring"]),
      detail: z.string().default(""),
    }),
  ),
});
export type Finding = z.infer<typeof DriftAnswer>["findings"][number];

/** A release as the operator's store holds it. */
export interface HeldRelease {
  readonly release: Release;
  /** Its folder: release.json, compose.yml, suite/. */
  readonly tree: readonly TreeEntry[];
  readonly scripts: readonly TreeEntry[];
}

export interface DriftClient {
  readonly client: ClientConfig;
  /** The release that it should run. */
  readonly desired: Release;
}

/** `running`: what is compared file by file; undefined where the store does not hold it. */
export function expectedServer(
  { client, desired }: DriftClient,
  running: HeldRelease | undefined,
  { schedules }: Pick<FleetConfig, "schedules">,
  keys: readonly string[],
): ExpectedServer {
  const { adapter } = running?.release ?? desired;
  return {
    release: desired.id,
    scripts: desired.scripts,
    places: running ? places(running) : [],
    plain: renderEnvironment(plainEnvironment(adapter, client), {}).split("\n").slice(1).join("\n"),
    secrets: Object.keys(adapter.env.generated),
    schedules: {
      CLIENT: client.name,
      DOMAIN: client.domain,
      BACKUP: schedules.backup,
      MINUTES: String(schedules.monitorMinutes),
    },
    sshPort: client.ssh.port,
    sshUser: client.ssh.user,
    keys,
  };
}

function places({ release, tree, scripts }: HeldRelease): ExpectedPlace[] {
  const inSuite = (path: string) => relative(tree, `suite/${path}`);
  const maintenance = [
    ".maintenance",
    release.adapter.ingress.maintenance?.split("/").at(-1) ?? ".maintenance",
  ];
  return [
    { path: releaseFolder(release.id), entries: entries(tree), ignored: [], modes: true },
    {
      path: `${serverPaths.scriptVersions}/${release.scripts}`,
      entries: entries(scripts),
      ignored: [scriptSums],
      modes: true,
    },
    ...release.binds.map(({ target, source, files }) => ({
      path: target,
      entries: { ...entries(inSuite(source)), ...added(files) },
      ignored: [],
      modes: false,
    })),
    ...release.static.map(({ target, source, mountPoints }) => {
      const ignored = [...mountPoints, ...maintenance];
      const served = inSuite(source).filter(({ path }) => !ignored.includes(path.split("/")[0] ?? ""));
      return { path: target, entries: entries(served), ignored, modes: false };
    }),
  ];
}

function entries(tree: readonly TreeEntry[]): Record<string, string> {
  return Object.fromEntries(
    tree.map((entry) => [
      entry.path,
      entry.kind === "link" ? `-> ${entry.target}` : `${entry.digest} ${entry.executable ? "x" : "-"}`,
    ]),
  );
}

function added(files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [
      name,
      `${createHash("sha256").update(text).digest("hex")} -`,
    ]),
  );
}

/** Entries below a path, named from there. */
function relative(tree: readonly TreeEntry[], root: string): TreeEntry[] {
  return below(tree, root).map((entry) => ({ ...entry, path: entry.path.slice(root.length + 1) }));
}
