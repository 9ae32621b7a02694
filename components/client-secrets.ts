/** @module The secrets of a client: generated once, kept in the state, never changed by provisioning again. */
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import type { Adapter } from "../core/config/adapter.ts";
import { childName } from "../core/naming.ts";

export interface ClientSecretsArgs {
  readonly generated: Adapter["env"]["generated"];
  /** Secrets of a former installation, by variable: the database keeps the password that it was made with. */
  readonly brought: Readonly<Record<string, string>>;
  readonly protect: boolean;
}

export class ClientSecrets extends pulumi.ComponentResource {
  /** Hexadecimal secrets by variable. */
  readonly environment: pulumi.Output<Record<string, string>>;
  /** First password of the town's administrator. */
  readonly adminPassword: pulumi.Output<string>;

  constructor(name: string, args: ClientSecretsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("geoclic:fleet:ClientSecrets", childName(name, "secrets"), {}, opts);
    const hex = (role: string, bytes: number) =>
      // Not RandomBytes: its id is the bytes themselves, and ids are kept in clear.
      new RandomPassword(
        childName(name, role),
        {
          length: bytes * 2,
          lower: false,
          upper: false,
          numeric: true,
          special: true,
          overrideSpecial: "abcdef",
        },
        { parent: this, protect: args.protect, additionalSecretOutputs: ["result", "bcryptHash"] },
      ).result;

    this.environment = pulumi.secret(
      pulumi.all(
        Object.fromEntries(
          Object.entries(args.generated).map(([variable, { bytes }]) => [
            variable,
            args.brought[variable] ?? hex(variable.toLowerCase().replaceAll("_", "-"), bytes),
          ]),
        ),
      ),
    );
    this.adminPassword = pulumi.secret(hex("admin-password", 12));
    this.registerOutputs({});
  }
}
