/** @module Addresses of servers: written in the stack, or OVH's for a VPS that is owned there. */
import { getVpsOutput } from "@ovhcloud/pulumi-ovh/vps/getVps.js";
import * as pulumi from "@pulumi/pulumi";
import type { ClientConfig } from "../core/config/stack.ts";

/** IPv4 address of a client's server. Fails when OVH knows the VPS and gives it none. */
export function clientAddress({ name, ip, serviceName }: ClientConfig): pulumi.Input<string> {
  if (ip !== undefined || serviceName === undefined) return ip ?? "";
  return getVpsOutput({ serviceName }).ips.apply((addresses) => {
    const address = addresses.find((each) => /^\d+\.\d+\.\d+\.\d+$/.test(each));
    if (address !== undefined) return address;
    throw new pulumi.RunError(
      `${name}: OVH gives ${serviceName} no IPv4 address, only ${addresses.join(", ")}`,
    );
  });
}
