/** @module The operator's ssh-agent: as the fleet's own, but it ends with the benchmark. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { addKey } from "../outside/agent.ts";
import { ensureRuntimeFolder } from "../outside/runtime-folder.ts";

/** Starts it, loads the key and sets SSH_AUTH_SOCK. */
export async function startAgent(privateKey: string): Promise<ChildProcess> {
  const socket = join(await ensureRuntimeFolder(), "agent.sock");
  await rm(socket, { force: true });
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  for (let attempt = 0; attempt < 100 && !existsSync(socket); attempt += 1) await setTimeout(20);
  await addKey(socket, privateKey);
  process.env.SSH_AUTH_SOCK = socket;
  return agent;
}
