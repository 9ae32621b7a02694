/** @module The policy pack: `pulumi preview --policy-pack policy`. A violation ends the preview with an error. */
import { Config } from "@pulumi/pulumi";
import { PolicyPack, type ResourceValidationArgs, type ResourceValidationPolicy } from "@pulumi/policy";
import { plainInputs, secretPaths } from "./inputs.ts";
import {
  clearInputViolations,
  commandViolations,
  connectionViolations,
  doubleViolations,
  generatedSecretViolations,
  protectionViolations,
  purchaseViolations,
  recordViolations,
  type Resource,
  standardInputViolations,
  variableViolations,
} from "./rules.ts";

/** A fleet that may go says so in its stack file; a stack that has no configuration at all cannot even be asked. */
function isKept(): boolean {
  try {
    return new Config("geoclic-fleet").getBoolean("protect") !== false;
  } catch {
    return true;
  }
}

/** Secret inputs by URN, as the remediation that comes first has seen them. */
const secretInputs = new Map<string, readonly string[]>();
/** What was judged so far, by URN. */
const declared = new Map<string, Resource>();

function resourceOf({ type, name, urn, props, opts }: ResourceValidationArgs): Resource {
  const secret = secretInputs.get(urn);
  if (!secret) throw new Error(`${name} comes to be judged without its secrets having been seen`);
  const resource: Resource = {
    type,
    name,
    inputs: plainInputs(props),
    secretInputs: secret,
    secretOutputs: opts.additionalSecretOutputs,
    isProtected: opts.protect,
  };
  declared.set(urn, resource);
  return resource;
}

function rule(
  name: string,
  description: string,
  violations: (resource: Resource) => string[],
): ResourceValidationPolicy {
  return {
    name,
    description,
    enforcementLevel: "mandatory",
    validateResource: (args, report) => {
      for (const violation of violations(resourceOf(args))) report(`${args.name}: ${violation}`);
    },
  };
}

new PolicyPack("geoclic-fleet", {
  policies: [
    {
      ...rule("secrets-wrapped", "What is named like a secret is kept as one.", clearInputViolations),
      // It remedies nothing: only a remediation is shown which inputs are secret.
      enforcementLevel: "remediate",
      remediateResource: ({ urn, props }) => {
        secretInputs.set(urn, secretPaths(props));
      },
    },
    rule("host-keys-pinned", "A connection pins its host key and holds no key.", connectionViolations),
    rule("commands-repeatable", "A command can be run again and is never replaced.", commandViolations),
    rule(
      "standard-input-hidden",
      "Standard input is secret, and so is what follows.",
      standardInputViolations,
    ),
    rule("variables-plain", "No variable of a command is named like a secret.", variableViolations),
    rule("secrets-protected", "Generated secrets are protected.", (resource) =>
      isKept() ? protectionViolations(resource) : [],
    ),
    rule("records-plain", "Records are addresses that may move.", recordViolations),
    rule("nothing-bought", "Servers are ordered, not declared.", purchaseViolations),
    {
      name: "stack-whole",
      description:
        "Each client has a domain and a server of its own, and no generated secret stands in clear.",
      enforcementLevel: "mandatory",
      validateStack: ({ resources }, report) => {
        const whole = resources.flatMap(({ urn, props }) => {
          const resource = declared.get(urn);
          return resource ? [{ ...resource, outputs: plainInputs(props) }] : [];
        });
        for (const violation of [...doubleViolations(whole), ...generatedSecretViolations(whole)])
          report(violation);
      },
    },
  ],
});
