/** @module `preview`: what an `up` would do, by client. */
import { exitStatus } from "../../core/exit-status.ts";
import { text } from "../../core/messages/catalogue.ts";
import { passedOver } from "../../core/release/passed-over.ts";
import { pinOf } from "../../core/rollout/pins.ts";
import { changesTable, readChanges } from "../changes-table.ts";
import type { Console } from "../console.ts";
import { updateContext } from "../../wiring/update-context.ts";

export async function preview(console: Console, options: { stack?: string; json?: boolean }): Promise<void> {
  const context = await updateContext(console, options.stack, false);
  const config = await context.file.read();
  const touched = await context.engine.preview();
  const running = await context.engine.activated();
  const converged = config.clients.filter(({ detached }) => !detached);
  const isPresentWanted = converged.some((client) => pinOf(config, client) === undefined);
  const made = isPresentWanted ? await context.releases.present(config) : undefined;
  const present = made?.id;
  const targets = new Map(
    converged.flatMap((client) => {
      const release = pinOf(config, client) ?? present;
      return release === undefined ? [] : [[client.name, release] as const];
    }),
  );
  const releases = await readChanges(targets, running);
  const others = touched.map(({ client = "-", step, operation }) => ({ client, step, operation }));
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
