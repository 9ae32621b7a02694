/** @module What operations need of the outside world: types only. `outside/` fulfils them, a test fakes them. */
import type { AcmeRequest, Budget } from "./certificate/budget.ts";
import type { DnsAnswer } from "./certificate/dns.ts";
import type { RsyncStats } from "./commands/rsync.ts";
import type { Command } from "./commands/shell.ts";
import type { SshTarget } from "./commands/ssh.ts";
import type { ZoneRecord } from "./dns/record.ts";
import type { HttpAnswer } from "./health.ts";
import type { Language } from "./messages/catalogue.ts";
import type { Release } from "./release/release.ts";

/** Who is told what happens before and beside an operation: a terminal, a log, a page. */
export interface Audience {
  readonly language: Language;
  progress(line: string): void;
}

export interface RunOptions {
  /** Text or bytes for the command's standard input. */
  readonly input?: string | Uint8Array;
  /** Called with each line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
  /** @default commandSeconds of core/limits.ts */
  readonly timeoutSeconds?: number;
  /** Exit statuses that are answers, not failures. @default [0] */
  readonly statuses?: readonly number[];
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
}

/** A server that can be reached by SSH. */
export interface Ssh {
  readonly target: SshTarget;
  /** @throws FleetError of the connection, of the server's command, or `SSH_TIMEOUT` */
  run(step: string, command: Command, options?: RunOptions): Promise<RunResult>;
  /** Forwards a loopback port of the server to one of this machine until closed. */
  forward(step: string, localPort: number): Promise<Forward>;
  /**
   * Sends a local folder as a release; unchanged files become hard links to the releases named.
   * @throws FleetError of the connection or `RSYNC_FAILED`
   */
  sendRelease(
    step: string,
    release: { readonly source: string; readonly release: string; readonly linkTo: readonly string[] },
  ): Promise<RsyncStats>;
}

export interface Forward {
  /** Port on the server's loopback address. */
  readonly remotePort: number;
  close(): Promise<void>;
}

export interface HttpRequest {
  readonly protocol: "http" | "https";
  /** Address or name to connect to, whatever DNS says. */
  readonly host: string;
  readonly domain: string;
  readonly path: string;
  /** @default httpSeconds of core/limits.ts */
  readonly timeoutSeconds?: number;
}

/** An image that can be pulled by its digest. */
export interface StoredImage {
  /** Digest of the manifest, `sha256:…`. */
  readonly digest: string;
  /** Compressed bytes of config and layers. */
  readonly bytes: number;
}

export interface ImageEndpoint {
  /** Port on this machine's loopback address. */
  readonly port: number;
  /** Bytes of blobs and manifests sent so far. */
  bytesSent(): number;
  close(): Promise<void>;
}

export interface Images {
  /** The image of a service, built or pulled once. */
  provide(release: Release, service: string, onProgress: (line: string) => void): Promise<StoredImage>;
  /** Shows images by repository (`geoclic/api`), read only, on loopback. */
  expose(images: ReadonlyMap<string, StoredImage>): Promise<ImageEndpoint>;
}

export interface AcmeLedger {
  /**
   * Counts a certificate that is about to be asked for, if the budget allows it; in one step, since clients ask at the
   * same time. It counts as issued unless `fail` tells otherwise: a step that dies must not give it back.
   */
  spend(request: AcmeRequest): Promise<Budget>;
  fail(request: AcmeRequest): Promise<void>;
}

export interface ReleaseStore {
  readonly folder: string;
  /** Folder of a release: release.json, compose.yml and suite/. */
  path(id: string): string;
  /** Folder of the server's scripts of one hash. */
  scriptsPath(hash: string): string;
  list(): Promise<string[]>;
  /** @throws FleetError `RELEASE_BROKEN` */
  read(id: string): Promise<Release | undefined>;
}

/** A DNS zone at OVH. What is changed is only seen after `refresh`. */
export interface Zone {
  /** Records of one name, every type. */
  records(subDomain: string): Promise<ZoneRecord[]>;
  /** Nothing to do when it is gone already. */
  remove(id: number): Promise<void>;
  refresh(): Promise<void>;
}

/** The effects of a step of `pulumi up`. */
export interface StepContext {
  /** Prepares a connection; nothing is contacted yet. @throws FleetError `AGENT_MISSING` */
  openSsh(target: SshTarget): Promise<Ssh>;
  readonly releases: ReleaseStore;
  readonly images: Images;
  readonly acmeLedger: AcmeLedger;
  /** Asks DNS servers, `address:port`; none: the machine's own. */
  resolve(domain: string, servers: readonly string[]): Promise<DnsAnswer>;
  /** @throws FleetError of the credentials, or `ZONE_UNKNOWN` */
  openZone(zone: string): Promise<Zone>;
  /** Addresses of the servers that a zone names as its own, `address:port`. */
  nameServersOf(zone: string): Promise<string[]>;
  /**
   * Runs `refresh` unless one began at or after `since` on this machine; waits for one that is under way.
   * @returns whether it was run
   */
  refreshZone(zone: string, since: number, refresh: () => Promise<void>): Promise<boolean>;
  /** GET with verified certificates. @throws Error of the connection or of TLS */
  get(request: HttpRequest): Promise<HttpAnswer>;
  /** Public keys of the fleet that the agent holds, `type base64`. */
  fleetKeys(): Promise<string[]>;
  /** A folder as a tar archive with plain owners and modes. */
  archive(folder: string): Promise<Uint8Array>;
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** One line of progress. */
  report(line: string): void;
  /** Calls once, when the operation that the step belongs to is cancelled. @returns what ends the watch */
  onCancelled(listener: () => void): () => void;
  /** Drift is put right: what is there is not believed to be as it was left. */
  readonly isRepair: boolean;
}
