/** @module How a step's input travels: variables of its process, which a preview shows. */
import { z } from "zod";
import { parse } from "../config/parse.ts";
import { FleetError } from "../errors.ts";
import { type LocalStep, type StepInput, stepInputs } from "./table.ts";

/** Variable of a step's process: path of a file whose existence says that the operation is cancelled. */
export const cancelVariable = "GEOCLIC_CANCEL";

/** Variable of steps that must not believe what is there: `1` while drift is put right. */
export const repairVariable = "GEOCLIC_REPAIR";

/** Names every variable of a step so that it cannot meet one of the machine's. */
const prefix = "GEOCLIC_STEP_";

type Value = string | number | readonly string[] | Readonly<Record<string, string>> | undefined;

/** Name of a field's variable, e.g. `GEOCLIC_STEP_HOST_KEY` of `hostKey`. */
export function stepVariable(field: string): string {
  return prefix + field.replace(/(?=[A-Z])/g, "_").toUpperCase();
}

/** Variables of a step's process from its input: a list's words are joined by blanks, each entry of a record has one of its own. */
export function stepVariables(input: Readonly<Record<string, Value>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(input).flatMap(([field, value]): [string, string][] => {
      const name = stepVariable(field);
      if (value === undefined) return [];
      if (Array.isArray(value)) return [[name, value.join(" ")]];
      if (typeof value !== "object") return [[name, String(value)]];
      return Object.entries(value).map(([key, one]) => [
        `${name}_${key.toUpperCase().replaceAll("-", "_")}`,
        one,
      ]);
    }),
  );
}

/** @throws FleetError `STEP_INPUT_INVALID` */
export function readStepInput<S extends LocalStep>(step: S, env: NodeJS.ProcessEnv): StepInput<S> {
  const { shape } = stepInputs[step];
  const own = Object.entries(shape).flatMap(([field, schema]) => {
    const value = env[stepVariable(field)];
    if (value === undefined) return [];
    return [[field, isList(schema) ? value.split(" ").filter(Boolean) : value] as const];
  });
  const parsed = parse<StepInput<S>>(
    stepInputs[step] as unknown as z.ZodType<StepInput<S>>,
    Object.fromEntries(own),
  );
  if (!parsed.ok) throw new FleetError("STEP_INPUT_INVALID", { step, problems: parsed.problems });
  return parsed.value;
}

function isList(schema: z.ZodType): boolean {
  if (schema instanceof z.ZodOptional) return isList(schema.unwrap() as z.ZodType);
  return schema instanceof z.ZodReadonly || schema instanceof z.ZodArray;
}
