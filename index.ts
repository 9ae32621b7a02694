/** @module The Pulumi program: parse the stack's configuration, read the suite, build the stack, export its outputs. */
import * as pulumi from "@pulumi/pulumi";
import { readReleases } from "./outside/suite-source.ts";
import { parseStackConfig, refuseDropped } from "./core/config/stack.ts";
import { readStackValues } from "./core/config/values.ts";
import { describe, FleetError } from "./core/errors.ts";
import { languageIn } from "./core/messages/catalogue.ts";
import { passedOver } from "./core/release/passed-over.ts";
import { fleetStack, formerClients } from "./stacks/fleet.ts";
import { masterStack } from "./stacks/master.ts";

// The engine's runner maps each stack trace through source maps, thousands of them. Types that are stripped move no line.
Reflect.deleteProperty(Error, "prepareStackTrace");

const language = languageIn(process.env);
const tell = (error: FleetError) => describe(error, language);

export default await outputs().catch((error: unknown) => {
  // The engine shows this one without a stack trace.
  throw error instanceof FleetError ? new pulumi.RunError(tell(error)) : error;
});

/** The engine names the configuration that a stack file holds encrypted; the SDK shows that to itself alone. */
function isSecret(key: string): boolean {
  const keys: unknown = JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS || "[]");
  return Array.isArray(keys) && keys.includes(key);
}

async function outputs() {
  const config = parseStackConfig(readStackValues(pulumi.runtime.allConfig(), pulumi.getProject()));
  if (config.role === "master") return masterStack(config);
  if (Object.keys(config.secrets).length > 0 && !isSecret("geoclic-fleet:secrets"))
    throw new FleetError("SECRET_IN_CLEAR", { file: `Pulumi.${pulumi.getStack()}.yaml`, paths: "secrets" });
  const former = await formerClients();
  refuseDropped(
    config,
    former.map(({ name }) => name),
  );
  const releases = await readReleases(config);
  const present = releases.get("present");
  const told = present && passedOver(present, language);
  if (told) void pulumi.log.warn(told);
  // The SDK takes a stack trace for each of its promises; one line of it still tells where a defect is.
  Error.stackTraceLimit = 1;
  return fleetStack(config, releases, { former, tell });
}
