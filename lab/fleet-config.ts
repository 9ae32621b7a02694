/** @module The configuration of the lab's fleet stack. */
import { ACME_NAME, LOOPBACK, ZONE } from "./layout.ts";

/** `clients`: entries as `clientEntry` makes them. */
export function fleetConfig(
  suite: string,
  clients: readonly Readonly<Record<string, unknown>>[],
): Record<string, unknown> {
  return {
    role: "fleet",
    suite: { path: suite },
    acme: { server: `https://${ACME_NAME}/dir` },
    dnsServers: [`${LOOPBACK.dns}:53`],
    zones: [ZONE],
    nameServers: [`${LOOPBACK.dns}:53`],
    protect: false,
    clients,
  };
}
