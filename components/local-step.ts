/** @module A step of a client on the operator's machine: one local command, set again whenever its input changes. */
import { local } from "@pulumi/command";
import type { CustomResourceOptions } from "@pulumi/pulumi";
import { childName } from "../core/naming.ts";
import { stepVariables } from "../core/steps/inputs.ts";

/** `name`: the client's; `step`: as `cli/step.ts` knows it. */
export function localStep(
  name: string,
  step: "server" | "certificate" | "delivery" | "activation",
  input: Readonly<Record<string, string | number>>,
  opts: CustomResourceOptions,
): local.Command {
  const command = `node cli/step.ts ${step}`;
  return new local.Command(
    childName(name, step),
    {
      create: command,
      update: command,
      environment: stepVariables(input),
      addPreviousOutputInEnv: false,
    },
    opts,
  );
}
