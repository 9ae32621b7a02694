/** @module The SSH key of the fleet, root on every town: it lives in the master stack only. */
import * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls";

export interface FleetKeyArgs {
  readonly protect: boolean;
}

export class FleetKey extends pulumi.ComponentResource {
  /** `ssh-ed25519 AAAA… geoclic-fleet` */
  readonly publicKey: pulumi.Output<string>;
  /** OpenSSH's format, secret. */
  readonly privateKey: pulumi.Output<string>;

  constructor(name: string, args: FleetKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("geoclic:fleet:FleetKey", name, {}, opts);
    const key = new PrivateKey(
      `${name}-ssh`,
      { algorithm: "ED25519" },
      { parent: this, protect: args.protect },
    );
    this.publicKey = key.publicKeyOpenssh.apply((line) => `${line.trim()} geoclic-fleet`);
    this.privateKey = pulumi.secret(key.privateKeyOpenssh);
    this.registerOutputs({ publicKey: this.publicKey, privateKey: this.privateKey });
  }
}
