/** @module The secrets of a client: generated once, kept in the state, never changed by provisioning again. */
import * as pulumi from "@pulumi/pulumi";
import { RandomBytes } from "@pulumi/random";
import type { Adapter } from "../core/config/adapter.ts";
import { childName } from "../core/naming.ts";

export interface ClientSecretsArgs {
  readonly generated: Adapter["env"]["generated"];
  readonly protect: boolean;
}

export class ClientSecrets extends pulumi.ComponentResource {
  /** Hexadecimal secrets by variable. */
  readonly environment: pulumi.Output<Record<string, string>>;
  /** First password of the town's administrator. */
  readonly adminPassword: pulumi.Output<string>;

  constructor(name: string, args: ClientSecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("geoclic:fleet:ClientSecrets", childName(name, "secrets"), {}, opts);
    const bytes = (role: string, length: number) =>
      new RandomBytes(
        childName(name, role),
        { length },
        { parent: this, protect: args.protect, additionalSecretOutputs: ["hex", "base64"] },
      ).hex;

    this.environment = pulumi.secret(
      pulumi.all(
        Object.fromEntries(
          Object.entries(args.generated).map(([variable, { bytes: length }]) => [
            variable,
            bytes(variable.toLowerCase().replaceAll("_", "-"), length),
          ]),
        ),
      ),
    );
    this.adminPassword = pulumi.secret(bytes("admin-password", 12));
    this.registerOutputs({});
  }
}
