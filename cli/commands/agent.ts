/** @module `agent`: the fleet's key, from the master stack into an ssh-agent's memory. */
import { ensureAgent, fleetKeys } from "../../outside/agent.ts";
import { loadFleetKeys } from "../../outside/fleet-agent.ts";
import { readOutput } from "../../outside/pulumi.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { Console } from "../console.ts";
import { integer } from "../options.ts";

export interface AgentOptions {
  /** Stack that holds the key. */
  readonly stack?: string;
  /** Print shell lines instead of a sentence. */
  readonly env?: boolean;
  /** Print the public key only. */
  readonly public?: boolean;
  /** Hours after which the agent forgets the key. */
  readonly lifetime?: string;
}

export async function agent(console: Console, options: AgentOptions): Promise<void> {
  const hours = options.lifetime === undefined ? undefined : integer("--lifetime", options.lifetime, 1, 720);
  const stack = options.stack ?? process.env.GEOCLIC_MASTER_STACK ?? "master";
  if (options.public) return console.print(String(await readOutput(stack, "publicKey")));
  const socket = await ensureAgent();
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  await loadFleetKeys(socket, stack, hours);
  if (options.env) return console.print(`export SSH_AUTH_SOCK='${socket}'`);
  console.print(text("agent.ready", console.language, { fingerprint: (await fleetKeys(env)).join(", ") }));
}
