/** @module Addresses of servers: written in the stack, or OVH's for a VPS that is owned there. */
import { getVps } from "@ovhcloud/pulumi-ovh/vps/getVps.js";
import * as pulumi from "@pulumi/pulumi";
import { lastLine } from "../core/commands/ssh.ts";
import type { ClientConfig } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";

/**
 * IPv4 address of a client's server. While OVH does not answer, the `former` one stands: one silent provider must not stop
 * every town. Without one, the output fails with `ADDRESS_UNTOLD`, or `ADDRESS_UNKNOWN` when OVH gives the VPS no IPv4 address.
 */
export function clientAddress(
  { name, ip, serviceName }: ClientConfig,
  former: string | undefined,
  tell: (error: FleetError) => string,
): pulumi.Input<string> {
  if (ip !== undefined || serviceName === undefined) return ip ?? "";
  return pulumi.output(
    getVps({ serviceName }).then(
      ({ ips }) => {
        const address = ips.find((each) => /^\d+\.\d+\.\d+\.\d+$/.test(each));
        if (address !== undefined) return address;
        const values = { serviceName, got: ips.join(", ") || "-" };
        throw new pulumi.RunError(tell(new FleetError("ADDRESS_UNKNOWN", values, { client: name })));
      },
      async (error: Error) => {
        const cause = lastLine(error.message) || "?";
        const values = { serviceName, cause, former: former ?? "-" };
        const told = tell(new FleetError("ADDRESS_UNTOLD", values, { client: name }));
        if (former === undefined) throw new pulumi.RunError(told);
        await pulumi.log.warn(told);
        return former;
      },
    ),
  );
}
