/** @module The ssh-agent that holds the fleet's key. The key is in memory only, never in a file. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { FleetError } from "../core/errors.ts";
import { home } from "./home.ts";
import { ensureRuntimeFolder } from "./runtime-folder.ts";

function agentSocket(env: NodeJS.ProcessEnv): string {
  return join(home(env).runtime, "agent.sock");
}

/**
 * Socket of our own agent, started when it does not run.
 * @throws FleetError `RUNTIME_UNSAFE`, `TOOL_MISSING`
 */
export async function ensureAgent(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const socket = join(await ensureRuntimeFolder(env), "agent.sock");
  if (existsSync(socket) && (await listKeys(socket)) !== undefined) return socket;
  await rm(socket, { force: true });
  const started = await execa("ssh-agent", ["-a", socket], { reject: false, stdin: "ignore" });
  if (started.exitCode !== 0)
    throw new FleetError("TOOL_MISSING", {
      tool: "ssh-agent",
      fix: "phrase.installAfter",
      package: "openssh-client",
      said: String(started.stderr).trim(),
    });
  return socket;
}

/** Keys (`type base64`) of our own agent, which holds the fleet's and no other; another agent's are not ours to tell. */
export async function fleetKeys(env: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const socket = agentSocket(env);
  const keys = env.SSH_AUTH_SOCK === socket ? await listKeys(socket) : undefined;
  return (keys ?? []).filter(Boolean).map((line) => line.split(" ").slice(0, 2).join(" "));
}

/** Loads a private key in OpenSSH's format, for good or for some hours; it travels by standard input. */
export async function addKey(socket: string, privateKey: string, hours?: number): Promise<void> {
  const lifetime = hours === undefined ? [] : ["-t", String(hours * 3600)];
  const added = await execa("ssh-add", ["-q", ...lifetime, "-"], {
    env: { SSH_AUTH_SOCK: socket },
    input: privateKey.endsWith("\n") ? privateKey : `${privateKey}\n`,
    reject: false,
  });
  if (added.exitCode !== 0)
    throw new FleetError("TOOL_MISSING", {
      tool: "ssh-add",
      fix: "phrase.toolSays",
      said: String(added.stderr).trim(),
    });
}

/** Takes a key out of the agent by its public half; nothing to do where it is not there. */
export async function removeKey(socket: string, publicKey: string): Promise<void> {
  const [type, blob] = publicKey.split(" ");
  const isThere = ((await listKeys(socket)) ?? []).some((line) => line.startsWith(`${type} ${blob}`));
  if (!isThere) return;
  const removed = await execa("ssh-add", ["-q", "-d", "-"], {
    env: { SSH_AUTH_SOCK: socket },
    input: `${type} ${blob} geoclic-fleet\n`,
    reject: false,
  });
  if (removed.exitCode !== 0)
    throw new FleetError("TOOL_MISSING", {
      tool: "ssh-add",
      fix: "phrase.toolSays",
      said: String(removed.stderr).trim(),
    });
}

/** Lines of `ssh-add -L`; `undefined` when nobody answers at the socket. */
async function listKeys(socket: string): Promise<string[] | undefined> {
  const list = await execa("ssh-add", ["-L"], { env: { SSH_AUTH_SOCK: socket }, reject: false });
  if (list.exitCode === 0) return String(list.stdout).split("\n");
  return list.exitCode === 1 ? [] : undefined;
}
