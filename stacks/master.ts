/** @module The master stack: what every fleet shares. */
import type { Output } from "@pulumi/pulumi";
import { FleetKey } from "../components/fleet-key.ts";
import type { MasterConfig } from "../core/config/stack.ts";

export interface MasterOutputs {
  readonly publicKey: Output<string>;
  readonly privateKey: Output<string>;
}

export function masterStack(config: MasterConfig): MasterOutputs {
  const { publicKey, privateKey } = new FleetKey("fleet-key", { protect: config.protect });
  return { publicKey, privateKey };
}
