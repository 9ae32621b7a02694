/** @module `drift`: what differs on the servers from what is declared. It reports; `--fix` runs their commands again and compares anew. */
import { readTree } from "../../outside/file-tree.ts";
import { describe } from "../../core/errors.ts";
import { exitStatus } from "../../core/exit-status.ts";
import { text } from "../../core/messages/catalogue.ts";
import { type ClientDrift, readDrift } from "../../verbs/read-drift.ts";
import type { Console } from "../console.ts";
import { stepContext } from "../../wiring/step-context.ts";
import { chosenFleet, statusClient } from "../../wiring/fleet.ts";
import { table } from "../table.ts";

export interface DriftOptions {
  readonly client?: readonly string[];
  readonly fix?: boolean;
  readonly json?: boolean;
  readonly stack?: string;
}

/** Converges the clients named. */
export type Fix = (clients: readonly string[]) => Promise<void>;

/** Ends with 7 where something differs (still, after `fix`), with 1 where a server could not be compared. */
export async function drift(console: Console, options: DriftOptions, fix: Fix): Promise<void> {
  const { config, clients } = await chosenFleet(options.stack, options.client);
  const context = { ...stepContext(console.progress), readTree };
  const compared = clients.map((each) => ({
    client: each.client,
    desired: each.release,
    target: statusClient(each).target,
  }));
  let drifts = await readDrift(context, compared, config);
  const differing = namesOf(drifts);
  if (options.fix && differing.length > 0) {
    console.progress(driftText(console, drifts));
    await fix(differing);
    drifts = await readDrift(context, compared, config);
  }
  if (options.json)
    console.json(
      drifts.map(({ error, ...each }) => ({ ...each, ...(error ? { error: error.message } : {}) })),
    );
  else console.print(driftText(console, drifts));
  if (drifts.some(({ error }) => error)) console.fail();
  else if (namesOf(drifts).length > 0) console.end(exitStatus.changes);
}

function namesOf(drifts: readonly ClientDrift[]): string[] {
  return drifts.filter(({ findings }) => findings.length > 0).map(({ name }) => name);
}

function driftText({ language }: Console, drifts: readonly ClientDrift[]): string {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, language, values);
  const rows = drifts.flatMap(({ name, findings, error }) =>
    error
      ? [[name, "-", "-", t("drift.unreadable", { cause: describe(error, language) })]]
      : findings.map(({ area, item, kind, detail }) => [
          name,
          t(`drift.area.${area}`),
          item,
          detail ? `${t(`drift.kind.${kind}`)}: ${detail}` : t(`drift.kind.${kind}`),
        ]),
  );
  const same = drifts.filter(({ findings, error }) => !error && findings.length === 0);
  const lines = same.map(({ name }) => t("drift.none", { client: name }));
  const head = ["column.client", "column.area", "column.item", "column.difference"] as const;
  return [
    ...(rows.length > 0
      ? [
          table(
            head.map((key) => t(key)),
            rows,
          ),
        ]
      : []),
    ...lines,
  ].join("\n");
}
