/** @module One step of `pulumi up`: its name in the first word, its input in variables. Ends the process. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { describe, FleetError } from "../core/errors.ts";
import { languageIn } from "../core/messages/catalogue.ts";
import type { StepContext } from "../core/ports.ts";
import type { LocalStep, StepInput } from "../core/step/table.ts";
import { stepInputs } from "../core/step/table.ts";
import { cancelVariable, readStepInput } from "../core/step/variables.ts";
import { activateRelease } from "../steps/activate-release.ts";
import { checkRecord } from "../steps/check-record.ts";
import { deliverRelease } from "../steps/deliver-release.ts";
import { issueCertificate } from "../steps/issue-certificate.ts";
import { prepareServer } from "../steps/prepare-server.ts";
import { stepContext } from "./step-context.ts";

const env = process.env;

/** What a step returns is printed, and handed to its next run. */
const steps: {
  readonly [S in LocalStep]: (context: StepContext, input: StepInput<S>) => Promise<unknown>;
} = {
  server: prepareServer,
  record: (context, input) => checkRecord(context, input, env.PULUMI_COMMAND_STDOUT),
  certificate: issueCertificate,
  delivery: deliverRelease,
  activation: activateRelease,
};

const name = process.argv[2] ?? "";

try {
  if (!isStep(name))
    throw new FleetError("STEP_INPUT_INVALID", {
      step: name,
      problems: `unknown step, expected one of: ${Object.keys(steps).join(", ")}`,
    });
  const cancelFile = env[cancelVariable];
  // What was begun is ended or undone; nothing is begun any more.
  if (cancelFile && existsSync(cancelFile))
    throw new FleetError("CANCELLED", { operation: basename(cancelFile, ".jsonl.cancel") });
  await run(name);
} catch (error) {
  const language = languageIn(env);
  console.error(error instanceof FleetError ? describe(error, language) : error);
  process.exitCode = 1;
}

function isStep(word: string): word is LocalStep {
  return Object.hasOwn(stepInputs, word);
}

async function run<S extends LocalStep>(step: S): Promise<void> {
  const context = stepContext((line) => console.log(line));
  const returned = await steps[step](context, readStepInput(step, env));
  if (typeof returned === "string") console.log(returned);
}
