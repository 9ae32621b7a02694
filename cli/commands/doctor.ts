/** @module `doctor`: each tool, its version and origin, and what to do about one that is missing. */
import { text } from "../../core/messages/catalogue.ts";
import { command } from "../command.ts";
import type { Console } from "../console.ts";
import { jsonOption } from "../options.ts";
import { table } from "../table.ts";

export const doctor = command({
  path: "doctor",
  group: "tool",
  help: "help.doctor",
  options: [jsonOption],
  examples: ["doctor"],
  run: (console, options: { readonly json?: boolean }) => run(console, options.json === true),
});

/** Ends with status 1 when a tool is missing. */
async function run(console: Console, isJson: boolean): Promise<void> {
  const { findInterrupted, heldReleases, readTools } = await import("../../wiring/doctor.ts");
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  const tools = await readTools();
  const missing = tools.filter((tool) => tool.version === "");
  if (missing.length > 0) console.fail();
  if (isJson) return console.json(tools);
  console.print(
    table(
      [t("doctor.tool"), t("doctor.version"), t("doctor.origin"), t("doctor.fix")],
      tools.map((tool) => [
        tool.name,
        tool.version || t("doctor.missing"),
        tool.version ? t(`origin.${tool.origin}`) : "-",
        tool.version ? "" : tool.fix,
      ]),
    ),
  );
  const releases = await heldReleases();
  console.print(t("doctor.releases", { releases: releases.join(", ") || t("doctor.none") }));
  for (const { stack, holder, pending } of await findInterrupted()) {
    if (holder !== undefined) console.print(t("doctor.locked", { stack, holder }));
    if (pending.length > 0) console.print(t("doctor.pending", { stack, pending: pending.join(", ") }));
  }
  if (tools.some((tool) => tool.origin === "substitute")) console.print(t("doctor.substitutes"));
  console.print(missing.length === 0 ? t("doctor.ok") : t("doctor.bad", { count: missing.length }));
}
