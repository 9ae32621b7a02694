/**
 * @module The SSH key of the fleet, root on every town. Its private half is no output, of the component or of the stack: a
 * reference to a stack copies every output of it into the state of the stack that refers.
 */
import * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls";

export interface FleetKeyArgs {
  readonly protect: boolean;
}

export class FleetKey extends pulumi.ComponentResource {
  /** `ssh-ed25519 AAAA… geoclic-fleet` */
  readonly publicKey: pulumi.Output<string>;

  constructor(name: string, args: FleetKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("geoclic:fleet:FleetKey", name, {}, opts);
    const key = new PrivateKey(
      `${name}-ssh`,
      { algorithm: "ED25519" },
      {
        parent: this,
        protect: args.protect,
        additionalSecretOutputs: ["privateKeyOpenssh", "privateKeyPem"],
      },
    );
    this.publicKey = key.publicKeyOpenssh.apply((line) => `${line.trim()} geoclic-fleet`);
    this.registerOutputs({ publicKey: this.publicKey });
  }
}
