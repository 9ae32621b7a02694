/** @module `update`: shown, confirmed, carried out as an operation. */
import type { RequestOf } from "../../core/operation/request.ts";
import { command } from "../command.ts";
import { asOperation } from "../operation.ts";
import { paceOptions, words } from "../options.ts";
import { confirmPlan, type RolloutOptions, requestOf } from "../rollout.ts";

interface UpdateOptions extends RolloutOptions {
  readonly release?: string;
  readonly services?: string;
  readonly migration?: string;
  readonly onlyOutdated?: boolean;
  readonly skipCheck?: boolean;
}

export const update = command({
  path: "update",
  group: "towns",
  help: "update.help",
  options: [
    ...paceOptions,
    { usage: "--release <id>", help: "update.help.release" },
    { usage: "--services <names>", help: "update.help.services" },
    { usage: "--migration <file>", help: "update.help.migration" },
    { usage: "--only-outdated", help: "update.help.onlyOutdated" },
    { usage: "--skip-check", help: "update.help.skipCheck" },
  ],
  examples: [
    "update --all --plan",
    "update --all --waves '1 25% 100%' --soak 300 --max-failures 2",
    "update --client ville-lyon --services 'api portail'",
    "update --client ville-lyon --migration 023_new_feature.sql",
  ],
  async run(console, options: UpdateOptions) {
    const { release, services, migration, onlyOutdated, skipCheck, wait, json = false } = options;
    const request: RequestOf<"update"> = {
      verb: "update",
      ...requestOf(options),
      ...{ release, migration, onlyOutdated, skipCheck },
      ...(services === undefined ? {} : { services: words(services) }),
    };
    const { planTowns } = await import("../../wiring/update.ts");
    const planned = await planTowns(console, options, request);
    if (!(await confirmPlan(console, options, planned, "update"))) return;
    await asOperation(console, planned.stack, { request, wait, json }, planned.work);
  },
});
