/** @module The policy pack: `pulumi preview --policy-pack policy`. A violation ends the preview with an error. */
import * as pulumi from "@pulumi/pulumi";
import { PolicyPack, type ResourceValidationPolicy } from "@pulumi/policy";
import {
  clearSecretViolations,
  commandViolations,
  connectionViolations,
  doubleViolations,
  protectionViolations,
  purchaseViolations,
  recordViolations,
  type Resource,
  secretViolations,
} from "./rules.ts";

const config = new pulumi.Config("geoclic-fleet");

function rule(
  name: string,
  description: string,
  violations: (resource: Resource) => string[],
): ResourceValidationPolicy {
  return {
    name,
    description,
    enforcementLevel: "mandatory",
    validateResource: ({ type, name: resource, props, opts }, report) => {
      for (const violation of violations({ type, name: resource, props, isProtected: opts.protect }))
        report(`${resource}: ${violation}`);
    },
  };
}

new PolicyPack("geoclic-fleet", {
  policies: [
    rule("host-keys-pinned", "A connection pins its host key and holds no key.", connectionViolations),
    rule("commands-repeatable", "A command can be run again and is never replaced.", commandViolations),
    rule("secrets-hidden", "No secret in a command line, a variable or a log.", (resource) =>
      secretViolations(resource),
    ),
    rule("secrets-protected", "Generated secrets are protected.", (resource) =>
      // A fleet that may go says so in its stack file.
      attempt(() => config.getBoolean("protect")) === false ? [] : protectionViolations(resource),
    ),
    rule("records-plain", "Records are addresses that may move.", recordViolations),
    rule("nothing-bought", "Servers are ordered, not declared.", purchaseViolations),
    {
      name: "stack-whole",
      description:
        "Each client has a domain, a server and a record of its own, and no secret stands in clear.",
      enforcementLevel: "mandatory",
      validateStack: ({ resources }, report) => {
        const declared = resources.map(({ type, name, props, opts }) => ({
          type,
          name,
          props: known(props),
          isProtected: opts.protect,
        }));
        for (const violation of [...doubleViolations(declared), ...clearSecretViolations(declared)])
          report(violation);
      },
    },
  ],
});

/** During a preview some values are not known yet; asking for one of them is an error, as is asking a stack without a configuration. */
function known(props: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(props).flatMap((key) => {
      const value = attempt(() => props[key]);
      if (value === undefined) return [];
      return [
        [
          key,
          typeof value === "object" && value !== null && !Array.isArray(value)
            ? known(value as Record<string, unknown>)
            : value,
        ],
      ];
    }),
  );
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}
