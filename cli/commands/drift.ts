/** @module `drift`: what differs on the servers from what is declared. It reports; `--fix` runs their commands again and compares anew. */
import { describe } from "../../core/errors.ts";
import { exitStatus } from "../../core/exit-status.ts";
import { text } from "../../core/messages/catalogue.ts";
import type { ClientDrift } from "../../wiring/drift.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { asOperation } from "../operation.ts";
import { jsonOption, stackOption } from "../options.ts";
import { table } from "../table.ts";

interface DriftOptions {
  readonly client?: readonly string[];
  readonly fix?: boolean;
  readonly json?: boolean;
  readonly stack?: string;
}

export const drift = command({
  path: "drift",
  group: "servers",
  help: "help.drift",
  options: [
    { usage: "--client <name>", help: "help.client", isRepeated: true },
    { usage: "--fix", help: "help.drift.fix" },
    jsonOption,
    stackOption,
  ],
  examples: ["drift", "drift --client ville-lyon --fix"],
  run: (console, options: DriftOptions) => run(console, options),
});

/** Ends with 7 where something differs (still, after `--fix`), with 1 where a server could not be compared. */
async function run(console: Console, options: DriftOptions): Promise<void> {
  const { openDrift, repair } = await import("../../wiring/drift.ts");
  const read = await openDrift(console, options.stack, options.client);
  let drifts = await read();
  const clients = namesOf(drifts);
  if (options.fix && clients.length > 0) {
    console.progress(driftText(console, drifts));
    const { stack, work } = await repair(console, options.stack, clients);
    const request = { verb: "drift", clients, fix: true } as const;
    await asOperation(console, stack, { request, wait: true }, work);
    drifts = await read();
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
