/** @module A step of a client on the operator's machine: one local command, set again whenever its input changes. */
import { local } from "@pulumi/command";
import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import { childName } from "../core/naming.ts";
import { stepVariables } from "../core/steps/inputs.ts";

/**
 * `name`: the client's; `step`: as `cli/step.ts` knows it. With `former`, the step is handed what it printed the last
 * time it succeeded.
 */
export function localStep(
  name: string,
  step: "server" | "record" | "certificate" | "delivery" | "activation",
  input: Readonly<Record<string, Input<string | number>>>,
  opts: CustomResourceOptions,
  { former = false } = {},
): local.Command {
  const command = `node cli/step.ts ${step}`;
  return new local.Command(
    childName(name, step),
    {
      create: command,
      update: command,
      environment: pulumi.output(input).apply(stepVariables),
      addPreviousOutputInEnv: former,
    },
    opts,
  );
}
