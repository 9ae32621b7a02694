/** @module Sends a release's folder to a server. */
import { execa } from "execa";
import { type RsyncRelease, type RsyncStats, readRsyncStats, rsyncRelease } from "../core/commands/rsync.ts";
import { lastLine, type SshTarget, sshFailure } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import { transferSeconds } from "../core/limits.ts";

/**
 * `isConnected`: whether the line to the server is still whole. `env`: names the agent, as for the line's own connection.
 * @throws FleetError of the connection, `TOOL_MISSING` or `RSYNC_FAILED`
 */
export async function sendRelease(
  target: SshTarget,
  sshConfig: string,
  step: string,
  options: Omit<RsyncRelease, "client" | "sshConfig">,
  isConnected: () => Promise<boolean>,
  env: NodeJS.ProcessEnv,
): Promise<RsyncStats> {
  const [program, ...words] = rsyncRelease({ ...options, client: target.client, sshConfig });
  const result = await execa(program, words, {
    env,
    extendEnv: false,
    reject: false,
    timeout: transferSeconds * 1000,
    stdin: "ignore",
  });
  if (result.exitCode === 0) return readRsyncStats(String(result.stdout));
  const place = { client: target.client, step };
  if (result.exitCode === undefined)
    throw new FleetError("TOOL_MISSING", { tool: "rsync", fix: "phrase.install", package: "rsync" }, place);
  const stderr = String(result.stderr);
  if (result.exitCode === 255 && !(await isConnected()))
    throw sshFailure(target, step, { status: 255, stderr: withoutRsyncsOwn(stderr) });
  throw new FleetError(
    "RSYNC_FAILED",
    { host: target.host, status: result.exitCode, cause: cause(stderr) },
    place,
  );
}

/** rsync ends with lines that only say that it ended. */
function cause(stderr: string): string {
  return lastLine(withoutRsyncsOwn(stderr)) || lastLine(stderr);
}

function withoutRsyncsOwn(stderr: string): string {
  return stderr
    .split("\n")
    .filter((line) => !/^rsync( error|: connection unexpectedly closed)/.test(line))
    .join("\n");
}
