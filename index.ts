/** @module The Pulumi program: parse the stack's configuration, read the suite, build the stack, export its outputs. */
import * as pulumi from "@pulumi/pulumi";
import { readReleases } from "./adapters/suite-source.ts";
import { parseStackConfig, refuseDropped } from "./core/config/stack.ts";
import { readStackValues } from "./core/config/values.ts";
import { describe, FleetError } from "./core/errors.ts";
import { languageOf } from "./core/messages/catalogue.ts";
import { fleetStack, formerClients } from "./stacks/fleet.ts";
import { masterStack } from "./stacks/master.ts";

// The engine's runner maps each stack trace through source maps, thousands of them. Types that are stripped move no line.
Reflect.deleteProperty(Error, "prepareStackTrace");

export default await outputs().catch((error: unknown) => {
  const { LC_ALL, LC_MESSAGES, LANG } = process.env;
  if (!(error instanceof FleetError)) throw error;
  // The engine shows this one without a stack trace.
  throw new pulumi.RunError(describe(error, languageOf(LC_ALL || LC_MESSAGES || LANG)));
});

async function outputs() {
  const config = parseStackConfig(readStackValues(pulumi.runtime.allConfig(), pulumi.getProject()));
  if (config.role === "master") return masterStack(config);
  refuseDropped(config, await formerClients());
  const releases = await readReleases(config);
  // The SDK takes a stack trace for each of its promises; one line of it still tells where a defect is.
  Error.stackTraceLimit = 1;
  return fleetStack(config, releases);
}
