/** @module The lab's certificate authority, and the certificate of its services. */
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { isPresent } from "./cache.ts";
import { ACME_NAME, HUB_HOSTS, HUBS, LAB, LOOPBACK, ORIGIN_HOSTS } from "./layout.ts";

/** Folder with `ca.pem`, `ca.key`, `services.pem`, `services.key`. The first two are made once per lab. */
export const AUTHORITY = join(LAB, "authority");

/** Makes the authority unless it exists, and the services' certificate unless it has every name. */
export async function ensureAuthority(): Promise<void> {
  if (!(await isPresent(AUTHORITY))) await makeAuthority();
  const hosts = [ACME_NAME, "pebble", "localhost", ...HUBS, ...HUB_HOSTS, ...ORIGIN_HOSTS];
  const names = [...new Set(hosts)]
    .map((name) => `DNS:${name}`)
    .concat(`IP:${LOOPBACK.services}`)
    .join(",");
  const record = join(AUTHORITY, "services.names");
  if ((await readFile(record, "utf8").catch(() => "")) === names) return;
  await openssl(
    AUTHORITY,
    ..."req -x509 -CA ca.pem -CAkey ca.key -keyout services.key -out services.pem".split(" "),
    ...["-subj", `/CN=${ACME_NAME}`, "-addext", `subjectAltName=${names}`],
    ..."-addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth".split(" "),
  );
  await writeFile(record, names);
}

async function makeAuthority(): Promise<void> {
  const partial = `${AUTHORITY}.partial`;
  await mkdir(partial, { recursive: true, mode: 0o700 });
  await openssl(
    partial,
    ..."req -x509 -keyout ca.key -out ca.pem -subj /CN=GeoClic_lab_authority".split(" "),
    ..."-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign".split(" "),
  );
  await chmod(join(partial, "ca.key"), 0o600);
  await rename(partial, AUTHORITY);
}

/** A new certificate with a new key. */
async function openssl(folder: string, ...words: string[]): Promise<void> {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90"];
  await execa("openssl", [...words, ...key], { cwd: folder });
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
