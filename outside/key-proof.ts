/** @module Proves that a server lets a key in: a connection of its own, by this key of the agent and no other. */
import { dirname, join } from "node:path";
import { createHash } from "node:crypto";
import { execa } from "execa";
import { type SshTarget, sshFailure } from "../core/commands/ssh.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { prepareSsh } from "./ssh.ts";

const step = "ssh-key";

/** `publicKey`: `type base64`, with a comment or without. @throws FleetError of the connection */
export async function proveKey(
  target: SshTarget,
  publicKey: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const config = await prepareSsh(target, env);
  // The public half tells ssh which key of the agent it may show.
  const name = createHash("sha256").update(publicKey).digest("hex").slice(0, 10);
  const file = join(dirname(config), `${name}.pub`);
  await writeFileAtomically(file, `${publicKey}\n`, 0o600);
  const options = [
    "ControlMaster=no",
    "ControlPath=none",
    "IdentitiesOnly=yes",
    `IdentityFile=${file}`,
    "PreferredAuthentications=publickey",
  ];
  const words = ["-F", config, ...options.flatMap((option) => ["-o", option]), "-T", target.client, "--"];
  const result = await execa("ssh", [...words, "true"], {
    env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    timeout: 40_000,
  });
  if (result.exitCode === 0) return;
  throw sshFailure(target, step, { status: result.exitCode ?? 255, stderr: String(result.stderr) });
}
