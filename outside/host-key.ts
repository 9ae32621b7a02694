/** @module Host keys, learnt from the server itself: to be compared with another source before they are pinned. */
import { createHash } from "node:crypto";
import { execa } from "execa";
import { lastLine, shutOutCause } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import { connectSeconds } from "../core/limits.ts";
import type { HostKey } from "../core/registry/port.ts";

/** The best first. */
const types = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"];

/**
 * Asks a server for its host keys, each over a connection of its own, and gives the best one, or the one of a type
 * `preferred`. `kinds`: fewer of them, as `ssh-keyscan -t` names them. @throws FleetError `SSH_UNREACHABLE`, `TOOL_MISSING`
 */
export async function scanHostKey(
  host: string,
  port: number,
  {
    timeoutSeconds = connectSeconds,
    preferred,
    kinds = "ed25519,ecdsa",
  }: { readonly timeoutSeconds?: number; readonly preferred?: string; readonly kinds?: string } = {},
): Promise<HostKey> {
  const began = performance.now();
  const words = ["-T", String(timeoutSeconds), "-p", String(port), "-t", kinds, "--", host];
  const result = await execa("ssh-keyscan", words, {
    reject: false,
    stdin: "ignore",
    timeout: (timeoutSeconds + 5) * 1000,
  });
  if (result.code === "ENOENT")
    throw new FleetError("TOOL_MISSING", {
      tool: "ssh-keyscan",
      fix: "phrase.install",
      package: "openssh-client",
    });
  const waited = (performance.now() - began) / 1000;
  const keys = new Map(
    String(result.stdout)
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => line.split(" ").slice(1, 3) as [string, string]),
  );
  for (const type of [...(preferred ? [preferred] : []), ...types]) {
    const key = keys.get(type);
    if (key !== undefined) return { hostKey: `${type} ${key}`, fingerprint: fingerprintOf(`${type} ${key}`) };
  }
  const said = lastLine(
    String(result.stderr)
      .split("\n")
      .filter((line) => !line.startsWith("#"))
      .join("\n"),
  );
  throw new FleetError("SSH_UNREACHABLE", {
    host,
    port,
    // OpenSSH's program tells nothing of a port that is shut.
    cause: shutOutCause(said) || (waited < timeoutSeconds ? "phrase.connectionRefused" : "phrase.noHostKey"),
    seconds: timeoutSeconds,
  });
}

/** `SHA256:…` of a public key, `type base64`. */
export function fingerprintOf(key: string): string {
  const bytes = Buffer.from(key.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(bytes).digest("base64").replace(/=+$/, "")}`;
}
