/** @module The lab's certificate authority, and the certificate of its services. */
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { isPresent } from "./cache.ts";
import { ACME_NAME, HUB_HOSTS, HUBS, LAB, LOOPBACK } from "./layout.ts";

/** Folder with `ca.pem`, `ca.key`, `services.pem`, `services.key`. Made once per lab. */
export const AUTHORITY = join(LAB, "authority");

const DAYS = "90";

/** Makes the authority and the services' certificate unless they exist. */
export async function ensureAuthority(): Promise<void> {
  if (await isPresent(AUTHORITY)) return;
  const partial = `${AUTHORITY}.partial`;
  await mkdir(partial, { recursive: true, mode: 0o700 });
  const names = [ACME_NAME, "pebble", "localhost", ...HUBS, ...HUB_HOSTS];
  const alternatives = [...new Set(names)].map((name) => `DNS:${name}`).concat(`IP:${LOOPBACK.services}`);
  const openssl = (...args: string[]) => execa("openssl", args, { cwd: partial });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    ..."req -x509 -keyout ca.key -out ca.pem -days".split(" "),
    DAYS,
    ...key,
    ..."-subj /CN=GeoClic_lab_authority -addext basicConstraints=critical,CA:TRUE".split(" "),
    ..."-addext keyUsage=critical,keyCertSign,cRLSign".split(" "),
  );
  await openssl(
    ..."req -x509 -CA ca.pem -CAkey ca.key -keyout services.key -out services.pem -days".split(" "),
    DAYS,
    ...key,
    "-subj",
    `/CN=${ACME_NAME}`,
    "-addext",
    `subjectAltName=${alternatives.join(",")}`,
    "-addext",
    "basicConstraints=critical,CA:FALSE",
    "-addext",
    "extendedKeyUsage=serverAuth",
  );
  await chmod(join(partial, "ca.key"), 0o600);
  await rename(partial, AUTHORITY);
}

/** The authority's certificate (PEM). */
export async function authorityCertificate(): Promise<string> {
  return (await readFile(join(AUTHORITY, "ca.pem"), "utf8")).trimEnd();
}

/** Writes PEM texts one after the other. */
export async function writeBundle(path: string, certificates: readonly string[]): Promise<void> {
  await writeFile(`${path}.partial`, `${certificates.join("\n")}\n`);
  await rename(`${path}.partial`, path);
}
