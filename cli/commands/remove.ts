/** @module `remove`: a town is no longer managed; nothing of it is deleted. */
import { stackFile } from "../../outside/stack-file.ts";
import { text } from "../../core/messages/catalogue.ts";
import { removeClient } from "../../verbs/registry/remove-client.ts";
import { typed } from "../ask.ts";
import type { Console } from "../console.ts";

export interface RemoveOptions {
  readonly yes?: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export async function remove(console: Console, name: string, options: RemoveOptions): Promise<void> {
  const { yes = false, commit, stack } = options;
  await removeClient(
    {
      file: await stackFile(stack, { commit }),
      confirm: async (expected) => yes || typed(console, text("remove.question", console.language), expected),
      tell: (key, values) => console.progress(text(key, console.language, values)),
    },
    name,
  );
}
