/** @module `preview`: what an `up` would do, by client. */
import { exitStatus } from "../../core/exit-status.ts";
import { text } from "../../core/messages/catalogue.ts";
import { passedOver } from "../../core/release/passed-over.ts";
import { changesTable } from "../changes-table.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { jsonOption, stackOption } from "../options.ts";

interface PreviewOptions {
  readonly stack?: string;
  readonly json?: boolean;
}

export const preview = command({
  path: "preview",
  group: "towns",
  help: "preview.help",
  options: [jsonOption, stackOption],
  examples: ["preview --stack prod", "preview --json"],
  run: (console, options: PreviewOptions) => run(console, options),
});

async function run(console: Console, options: PreviewOptions): Promise<void> {
  const { previewFleet } = await import("../../wiring/preview.ts");
  const { releases, resources: others, present: made } = await previewFleet(console, options.stack);
  if (options.json) console.json({ changed: others.length > 0, releases, resources: others });
  else {
    const t = (key: Parameters<typeof text>[0]) => text(key, console.language);
    if (others.length === 0) console.print(t("preview.none"));
    if (releases.length > 0) console.print(changesTable(releases, console.language));
    const told = made && passedOver(made, console.language);
    if (told) console.print(told);
    if (others.length > 0)
      console.print(
        `${t("preview.changes")}:\n${others.map(({ client, step, operation }) => `  ${client} · ${step}: ${operation}`).join("\n")}`,
      );
  }
  if (others.length > 0) console.end(exitStatus.changes);
}
