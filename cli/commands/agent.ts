/** @module `agent`: the fleet's key, from the master stack into an ssh-agent's memory. */
import { text } from "../../core/messages/catalogue.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { integer, stackOption } from "../options.ts";

interface AgentOptions {
  /** Stack that holds the key. */
  readonly stack?: string;
  /** Print shell lines instead of a sentence. */
  readonly env?: boolean;
  /** Print the public key only. */
  readonly public?: boolean;
  /** Hours after which the agent forgets the key. */
  readonly lifetime?: string;
}

export const agent = command({
  path: "agent",
  group: "tool",
  help: "help.agent",
  options: [
    stackOption,
    { usage: "--env", help: "help.env" },
    { usage: "--public", help: "help.public" },
    { usage: "--lifetime <hours>", help: "help.lifetime" },
  ],
  examples: ['eval "$(geoclic-fleet agent --env)"', "agent --lifetime 8", "agent --public"],
  run: (console, options: AgentOptions) => run(console, options),
});

async function run(console: Console, options: AgentOptions): Promise<void> {
  const hours = options.lifetime === undefined ? undefined : integer("--lifetime", options.lifetime, 1, 720);
  const { loadKeys, masterOf, publicKey } = await import("../../wiring/agent.ts");
  const stack = masterOf(options.stack);
  if (options.public) return console.print(await publicKey(stack));
  const { socket, fingerprints } = await loadKeys(stack, hours);
  if (options.env) return console.print(`export SSH_AUTH_SOCK='${socket}'`);
  console.print(text("agent.ready", console.language, { fingerprint: fingerprints.join(", ") }));
}
