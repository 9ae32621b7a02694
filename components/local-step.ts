/** @module A step of a client on the operator's machine: one local command, set again whenever its input changes. */
import { local } from "@pulumi/command";
import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import * as pulumi from "@pulumi/pulumi";
import { childName } from "../core/naming.ts";
import type { LocalStep, StepInput, StepTriggers } from "../core/step/table.ts";
import { stepVariables } from "../core/step/variables.ts";

type Sent<T> = { readonly [K in keyof T]: Input<Exclude<T[K], undefined>> | Extract<T[K], undefined> };

/** `name`: the client's. With `former`, the step is handed what it printed the last time it succeeded. */
export function localStep<S extends LocalStep>(
  name: string,
  step: S,
  input: Sent<StepInput<S> & StepTriggers[S]>,
  opts: CustomResourceOptions,
  { former = false } = {},
): local.Command {
  const command = `node cli/step.ts ${step}`;
  return new local.Command(
    childName(name, step),
    {
      create: command,
      update: command,
      environment: pulumi.output(input as Parameters<typeof stepVariables>[0]).apply(stepVariables),
      addPreviousOutputInEnv: former,
    },
    opts,
  );
}
