/** @module The agent that holds the fleet's key, and the stack that the key comes from. */
import { ensureAgent, fleetKeys } from "../outside/agent.ts";
import { loadFleetKeys } from "../outside/fleet-agent.ts";
import { readOutput } from "../outside/pulumi.ts";

/** The stack that holds the key: the one named, GEOCLIC_MASTER_STACK, or `master`. */
export function masterOf(stack: string | undefined): string {
  return stack ?? process.env.GEOCLIC_MASTER_STACK ?? "master";
}

export async function publicKey(stack: string): Promise<string> {
  return String(await readOutput(stack, "publicKey"));
}

/** Starts the agent where none runs. `hours`: after which the agent forgets the key. */
export async function loadKeys(
  stack: string,
  hours: number | undefined,
): Promise<{ readonly socket: string; readonly fingerprints: readonly string[] }> {
  const socket = await ensureAgent();
  await loadFleetKeys(socket, stack, hours);
  return { socket, fingerprints: await fleetKeys({ ...process.env, SSH_AUTH_SOCK: socket }) };
}
