/** @module A server's host key that was learnt from the network alone: shown, and asked for. */
import { text } from "../core/messages/catalogue.ts";
import type { ShownHostKey } from "../wiring/registry.ts";
import { confirm } from "./ask.ts";
import type { Console } from "./console.ts";

/** `yes`: it is taken without a question, and that is told loudly. */
export async function confirmHostKey(console: Console, shown: ShownHostKey, yes: boolean): Promise<boolean> {
  const { client, host, port, hostKey, fingerprint, former } = shown;
  const tell = (key: Parameters<typeof text>[0], values = {}) =>
    console.progress(text(key, console.language, values));
  tell("add.hostKey", { client, host, port, hostKey, fingerprint });
  if (former !== undefined) tell("add.hostKeyFormer", { former });
  if (!yes) return confirm(console, text("add.hostKeyQuestion", console.language));
  tell("add.hostKeyUnasked");
  return true;
}
