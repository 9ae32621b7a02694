/** @module `rollback`: each town back to the release before, shown, confirmed, carried out as an operation. */
import { command } from "../command.ts";
import { asOperation } from "../operation.ts";
import { paceOptions } from "../options.ts";
import { confirmPlan, type RolloutOptions, requestOf } from "../rollout.ts";

export const rollback = command({
  path: "rollback",
  group: "towns",
  help: "rollback.help",
  options: paceOptions,
  examples: ["rollback --client ville-lyon", "rollback --all --yes"],
  async run(console, options: RolloutOptions) {
    const request = { verb: "rollback" as const, ...requestOf(options) };
    const { wait, json = false } = options;
    const { planTowns } = await import("../../wiring/update.ts");
    const planned = await planTowns(console, options, request);
    if (!(await confirmPlan(console, options, planned, "rollback"))) return;
    await asOperation(console, planned.stack, { request, wait, json }, planned.work);
  },
});
