/** @module OpenSSH's client: its configuration for one server, and how its failures are read. */

import { type ErrorCode, FleetError } from "../errors.ts";
import { connectSeconds, keepConnectionSeconds } from "../limits.ts";

/** A server as SSH sees it. */
export interface SshTarget {
  readonly client: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Pinned public host key, `type base64`. */
  readonly hostKey: string;
}

/** Files of one server's connections. None may hold a blank. */
export interface SshFiles {
  readonly knownHosts: string;
  /** Socket of the shared connection, at most about 100 characters. */
  readonly control: string;
}

/** Text of `known_hosts`: the pinned key and nothing else. */
export function renderKnownHosts(target: SshTarget): string {
  return `geoclic-${target.client} ${target.hostKey}\n`;
}

/**
 * Text of an `ssh_config` whose only host is the client.
 * One connection is shared and kept half a minute; a silent one ends after 45 s.
 */
export function renderSshConfig(target: SshTarget, files: SshFiles): string {
  const options: Record<string, string | number> = {
    HostName: target.host,
    Port: target.port,
    User: target.user,
    HostKeyAlias: `geoclic-${target.client}`,
    UserKnownHostsFile: files.knownHosts,
    GlobalKnownHostsFile: "/dev/null",
    StrictHostKeyChecking: "yes",
    UpdateHostKeys: "no",
    HostKeyAlgorithms: target.hostKey.split(" ", 1)[0] ?? "",
    BatchMode: "yes",
    PasswordAuthentication: "no",
    IdentityFile: "none",
    ConnectTimeout: connectSeconds,
    ConnectionAttempts: 1,
    ServerAliveInterval: 15,
    ServerAliveCountMax: 3,
    ControlMaster: "auto",
    ControlPath: files.control,
    ControlPersist: keepConnectionSeconds,
    ForwardAgent: "no",
    LogLevel: "ERROR",
  };
  const lines = Object.entries(options).map(([key, value]) => `  ${key} ${value}`);
  return `Host ${target.client}\n${lines.join("\n")}\n`;
}

/** What ended an `ssh` process. */
export interface SshEnd {
  /** Exit status; 255 is OpenSSH's own failure, a command's that a signal ended, or the command's own. */
  readonly status: number;
  readonly stderr: string;
  /** The shared connection works on: what ended is the command. @default false */
  readonly isConnected?: boolean;
}

/** The failure behind an `ssh` that did not end well: the connection's, or the remote command's. */
export function sshFailure(target: SshTarget, step: string, end: SshEnd): FleetError {
  const place = { client: target.client, step };
  const { host, port, user } = target;
  const cause = lastLine(end.stderr) || "no message";
  if (end.status === 255 && !end.isConnected) {
    if (/host key verification failed|host identification has changed|no matching host key/i.test(end.stderr))
      return new FleetError("HOST_KEY_CHANGED", { host, port }, place);
    if (/permission denied|too many authentication failures/i.test(end.stderr))
      return new FleetError("SSH_REFUSED", { user, host, port, cause }, place);
    return new FleetError("SSH_UNREACHABLE", { host, port, cause: shutOutCause(cause) }, place);
  }
  if (/(^|: )sudo: .*(password is required|not allowed|not found)|not in the sudoers/im.test(end.stderr))
    return new FleetError("SUDO_MISSING", { user, host, cause }, place);
  const known = serverFailure(target.client, step, end.stderr);
  if (known) return known;
  const status = end.status === 255 ? "a signal (or 255)" : end.status;
  return new FleetError("SSH_FAILED", { host, status, cause }, place);
}

/** A server that closes a connection before its first word: it does not want this address, or no more of its connections. */
export function isShutOut(cause: string): boolean {
  return /not allowed at this time|kex_exchange_identification|ssh_exchange_identification|^\S+: connection closed by remote host/i.test(
    cause,
  );
}

/** What OpenSSH says of a penalty is not that it is one. */
export function shutOutCause(cause: string): string {
  if (!isShutOut(cause)) return cause;
  return `${cause} — it may refuse this address for some minutes, after connections without a log-in (sshd's PerSourcePenalties, MaxStartups, fail2ban)`;
}

const serverError = /^error ([A-Z0-9_]+) \[([^\]]*)\] ([^:]+): (.*?)\.? Next: (.*)$/;

/** The failure that a server command tells in its last line, if it does. */
export function serverFailure(client: string, step: string, stderr: string): FleetError | undefined {
  const match = serverError.exec(lastLine(stderr));
  if (!match) return undefined;
  const [, code = "", , part = "", cause = "", action = ""] = match;
  const where = part === step ? step : `${step} (${part})`;
  return new FleetError(code as ErrorCode, { cause, action }, { client, step: where });
}

/** Last line that is not blank, without control characters. */
export function lastLine(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/\p{Cc}/gu, "").trim());
  return lines.findLast((line) => line !== "") ?? "";
}
