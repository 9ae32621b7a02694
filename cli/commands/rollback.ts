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
    const request = requestOf(options);
    const { wait, json = false } = options;
    const { planTowns } = await import("../../wiring/update.ts");
    const planned = await planTowns(console, options, "rollback", request);
    if (!(await confirmPlan(console, options, planned, "rollback"))) return;
    const asked = { verb: "rollback", request: { ...request }, wait, json };
    await asOperation(console, planned.stack, asked, planned.work);
  },
});
