/** @module An authority and one certificate for every imitated server. */
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { execa } from "execa";

/** Writes `ca.pem`, `server.pem`, `server.key` into a folder, unless it is there. */
export async function ensureCertificate(folder: string, domains: readonly string[]): Promise<void> {
  if (existsSync(folder)) return;
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650".split(" ");
  const openssl = (...words: string[]) =>
    execa("openssl", ["req", "-x509", ...key, ...words], { cwd: partial });
  await openssl(
    ..."-keyout ca.key -out ca.pem -subj /CN=geoclic_bench".split(" "),
    ..."-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign".split(" "),
  );
  await openssl(
    ..."-CA ca.pem -CAkey ca.key -keyout server.key -out server.pem -subj /CN=geoclic_bench_server".split(
      " ",
    ),
    ..."-addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth -addext".split(" "),
    `subjectAltName=${domains.map((domain) => `DNS:${domain}`).join(",")}`,
  );
  await rename(partial, folder);
}
