/** @module What an operator of the lab trusts: this machine's authorities, the lab's, and the ACME server's root. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { acmeRoot } from "./acme.ts";
import { authorityCertificate, writeBundle } from "./authority.ts";
import { machineAuthorities } from "./host.ts";
import { LAB, TRUST_BUNDLE } from "./layout.ts";

const ROOTS = join(LAB, "acme-roots.pem");

/**
 * PEM of the lab's authority and of every root that the ACME server has had: it makes a new one at each start, and
 * certificates of before are still served.
 */
export async function trustedCertificates(): Promise<string> {
  const former = (await readFile(ROOTS, "utf8").catch(() => "")).trimEnd();
  const root = await acmeRoot();
  const roots = former.includes(root) ? former : [former, root].filter(Boolean).join("\n");
  if (roots !== former) await writeBundle(ROOTS, [roots]);
  return `${[await authorityCertificate(), roots].join("\n")}\n`;
}

/** Writes the bundle that NODE_EXTRA_CA_CERTS names in the lab. */
export async function writeTrustBundle(): Promise<void> {
  await writeBundle(TRUST_BUNDLE, [...(await machineAuthorities()), (await trustedCertificates()).trimEnd()]);
}
