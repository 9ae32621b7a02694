/** @module The master stack: what every fleet shares. */
import * as pulumi from "@pulumi/pulumi";
import { FleetKey } from "../components/fleet-key.ts";
import type { MasterConfig } from "../core/config/stack.ts";

export interface MasterOutputs {
  /** The newest key: the one that a new server gets. */
  readonly publicKey: pulumi.Output<string>;
  readonly privateKey: pulumi.Output<string>;
  /** Every key that servers may accept, oldest first. */
  readonly keys: readonly { readonly generation: number; readonly publicKey: pulumi.Output<string> }[];
  /** By generation; secret. */
  readonly privateKeys: pulumi.Output<Record<string, string>>;
}

export function masterStack(config: MasterConfig): MasterOutputs {
  const made = config.keys.map((generation) => ({
    generation,
    key: new FleetKey(fleetKeyName(generation), { protect: config.protect }),
  }));
  const newest = made.at(-1)?.key;
  if (!newest) throw new RangeError("a master stack without a key");
  return {
    publicKey: newest.publicKey,
    privateKey: newest.privateKey,
    keys: made.map(({ generation, key: { publicKey } }) => ({ generation, publicKey })),
    privateKeys: pulumi.secret(
      pulumi.all(Object.fromEntries(made.map(({ generation, key }) => [generation, key.privateKey]))),
    ),
  };
}

/** A generation has a name of its own, so that one is made beside the other. The first has the name it always had. */
function fleetKeyName(generation: number): string {
  return generation === 1 ? "fleet-key" : `fleet-key-${generation}`;
}
