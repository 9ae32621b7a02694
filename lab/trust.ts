/** @module What an operator of the lab trusts: this machine's authorities, the lab's, and the ACME server's root. */
import { acmeRoot } from "./acme.ts";
import { authorityCertificate, writeBundle } from "./authority.ts";
import { machineAuthorities } from "./host.ts";
import { TRUST_BUNDLE } from "./layout.ts";

/** PEM of the lab's authority and of the ACME server's current root. */
export async function trustedCertificates(): Promise<string> {
  return `${[await authorityCertificate(), await acmeRoot()].join("\n")}\n`;
}

/** Writes the bundle that NODE_EXTRA_CA_CERTS names in the lab. */
export async function writeTrustBundle(): Promise<void> {
  await writeBundle(TRUST_BUNDLE, [...(await machineAuthorities()), (await trustedCertificates()).trimEnd()]);
}
