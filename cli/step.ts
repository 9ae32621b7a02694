/** @module The door by which the program's local commands call a step: `node cli/step.ts NAME`, input by variables. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { describe, FleetError } from "../core/errors.ts";
import { languageOf } from "../core/messages/catalogue.ts";
import type { StepContext } from "../core/ports.ts";
import {
  ActivationInput,
  CertificateInput,
  cancelVariable,
  DeliveryInput,
  PrepareInput,
  RecordInput,
  readStepInput,
} from "../core/steps/inputs.ts";
import { activateRelease } from "../operations/activate-release.ts";
import { checkRecord } from "../operations/check-record.ts";
import { deliverRelease } from "../operations/deliver-release.ts";
import { issueCertificate } from "../operations/issue-certificate.ts";
import { prepareServer } from "../operations/prepare-server.ts";
import { stepContext } from "./context.ts";

const env = process.env;

const steps: Readonly<Record<string, (context: StepContext) => Promise<void>>> = {
  server: (context) => prepareServer(context, readStepInput("server", PrepareInput, env)),
  record: async (context) => {
    const former = env.PULUMI_COMMAND_STDOUT;
    console.log(await checkRecord(context, readStepInput("record", RecordInput, env), former));
  },
  certificate: (context) => issueCertificate(context, readStepInput("certificate", CertificateInput, env)),
  delivery: (context) => deliverRelease(context, readStepInput("delivery", DeliveryInput, env)),
  activation: (context) => activateRelease(context, readStepInput("activation", ActivationInput, env)),
};

const name = process.argv[2] ?? "";
const step = steps[name];

try {
  if (!step)
    throw new FleetError("STEP_INPUT_INVALID", {
      step: name,
      problems: `unknown step, expected one of: ${Object.keys(steps).join(", ")}`,
    });
  const cancelFile = env[cancelVariable];
  // What was begun is ended or undone; nothing is begun any more.
  if (cancelFile && existsSync(cancelFile))
    throw new FleetError("CANCELLED", { operation: basename(cancelFile, ".jsonl.cancel") });
  await step(stepContext((line) => console.log(line)));
} catch (error) {
  const language = languageOf(env.LC_ALL || env.LC_MESSAGES || env.LANG);
  console.error(error instanceof FleetError ? describe(error, language) : error);
  process.exitCode = 1;
}
