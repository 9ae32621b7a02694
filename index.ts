/** @module The Pulumi program: parse the stack's configuration, read the suite, build the stack, export its outputs. */
import * as pulumi from "@pulumi/pulumi";
import { readReleases } from "./adapters/suite-source.ts";
import { parseStackConfig, refuseDropped } from "./core/config/stack.ts";
import { readStackValues } from "./core/config/values.ts";
import { fleetStack, formerClients } from "./stacks/fleet.ts";
import { masterStack } from "./stacks/master.ts";

const config = parseStackConfig(readStackValues(pulumi.runtime.allConfig(), pulumi.getProject()));

if (config.role === "fleet") refuseDropped(config, await formerClients());

export default config.role === "master"
  ? masterStack(config)
  : fleetStack(config, await readReleases(config));
