/** @module `remove`: a town is no longer managed; nothing of it is deleted. */
import { text } from "../../core/messages/catalogue.ts";
import { typed } from "../ask.ts";
import { command } from "../command.ts";
import { asAttended } from "../operation.ts";
import { commitOption, stackOption } from "../options.ts";

interface RemoveOptions {
  readonly yes?: boolean;
  readonly commit: boolean;
  readonly stack?: string;
}

export const remove = command({
  path: "remove",
  group: "registry",
  help: "remove.help",
  arguments: [{ usage: "<name>" }],
  options: [{ usage: "--yes", help: "registry.yes" }, commitOption, stackOption],
  examples: ["remove ville-lyon"],
  run: (console, options: RemoveOptions, name: string) =>
    asAttended(console, options.stack, { verb: "remove", name }, async (attended) => {
      const { removeTown } = await import("../../wiring/registry.ts");
      const question = text("remove.question", console.language);
      await removeTown(
        attended,
        options,
        name,
        async (expected) => options.yes === true || typed(attended, question, expected),
      );
    }),
});
