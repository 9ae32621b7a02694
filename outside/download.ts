/** @module A command's output on a server, into a file of this machine: bytes, whole or not at all. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { type Command, toShell } from "../core/commands/shell.ts";
import { type SshTarget, sshFailure } from "../core/commands/ssh.ts";
import { prepareSsh } from "./ssh.ts";

export interface Downloaded {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Writes the file (0600) once the command has ended well. @throws FleetError of the connection or of the command */
export async function download(
  target: SshTarget,
  step: string,
  command: Command,
  file: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Downloaded> {
  const config = await prepareSsh(target, env);
  const partial = `${file}.partial`;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await rm(partial, { force: true });
  const digest = createHash("sha256");
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      digest.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const child = execa("ssh", ["-F", config, "-T", target.client, "--", toShell(command)], {
    env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    buffer: { stdout: false },
  });
  try {
    const written = pipeline(child.stdout, counted, createWriteStream(partial, { mode: 0o600, flags: "wx" }));
    const [result] = await Promise.all([child, written]);
    if (result.exitCode !== 0)
      throw sshFailure(target, step, { status: result.exitCode ?? 255, stderr: String(result.stderr ?? "") });
    const handle = await open(partial, "r+");
    await handle.sync().finally(() => handle.close());
    await rename(partial, file);
    return { bytes, sha256: digest.digest("hex") };
  } finally {
    child.kill();
    await rm(partial, { force: true });
  }
}
