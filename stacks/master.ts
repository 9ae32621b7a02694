/** @module The master stack: what every fleet shares. */
import type * as pulumi from "@pulumi/pulumi";
import { FleetKey } from "../components/fleet-key.ts";
import type { MasterConfig } from "../core/config/stack.ts";

export interface MasterOutputs {
  /** The newest key: the one that a new server gets. */
  readonly publicKey: pulumi.Output<string>;
  /** Every key that servers may accept, oldest first. */
  readonly keys: readonly { readonly generation: number; readonly publicKey: pulumi.Output<string> }[];
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
    keys: made.map(({ generation, key: { publicKey } }) => ({ generation, publicKey })),
  };
}

/** A generation has a name of its own, so that one is made beside the other. The first has the name it always had. */
function fleetKeyName(generation: number): string {
  return generation === 1 ? "fleet-key" : `fleet-key-${generation}`;
}
