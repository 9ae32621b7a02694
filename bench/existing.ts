/** @module What a stack of the lab costs when there is nothing to do: real servers; nothing is changed on them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { labEnvironment } from "../lab/environment.ts";
import { OPERATOR } from "../lab/layout.ts";
import { ensureAgent } from "../outside/agent.ts";
import { toolchainEnvironment } from "../toolchain/environment.ts";
import type { Measured } from "./results.ts";
import { measureVerbs, resourceCount, stateBytes } from "./stack.ts";

export interface ExistingOptions {
  readonly stack: string;
  readonly runs: number;
  readonly report: (line: string) => void;
}

/** @throws Error when the stack has something to do: that would not be measured, it would be done */
export async function benchExisting({ stack, runs, report }: ExistingOptions): Promise<Measured> {
  const place = { project: join(OPERATOR, "project"), state: join(OPERATOR, "state") };
  Object.assign(process.env, labEnvironment());
  Object.assign(process.env, toolchainEnvironment(process.env), { PULUMI_CONTINUE_ON_ERROR: "true" });
  process.env.SSH_AUTH_SOCK = await ensureAgent();
  const file = await readFile(join(place.project, `Pulumi.${stack}.yaml`), "utf8");
  const { config } = parseDocument(file).toJS() as { config: Record<string, unknown> };
  const clients = (config["geoclic-fleet:clients"] as unknown[]).length;
  // The preview comes first and expects no changes: where there are some, no `up` is run.
  const verbs = await measureVerbs(place, stack, runs, (line) => report(`${clients} clients: ${line}`));
  return {
    clients,
    resources: await resourceCount(place, stack),
    stateBytes: await stateBytes(place, stack),
    first: undefined,
    verbs,
  };
}
