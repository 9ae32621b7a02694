/** @module Where the benchmarks live: a home, stacks and a passphrase of their own, in the cache. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { makeSuite } from "../lab/suite/release/make.ts";
import { home } from "../outside/home.ts";
import { toolchainEnvironment } from "../toolchain/environment.ts";

const checkout = resolve(import.meta.dirname, "..");

export interface Place {
  /** Everything below; deleting it is always safe. */
  readonly folder: string;
  /** Folder of Pulumi.yaml and the stack files. */
  readonly project: string;
  readonly suite: string;
  readonly state: string;
  /** The authority that the operator trusts, and the certificate that the hosts show. */
  readonly tls: string;
}

export function benchPlace(): Place {
  const folder = join(home({ ...process.env, GEOCLIC_HOME: undefined }).cache, "bench");
  const own = (name: string) => join(folder, name);
  return { folder, project: own("project"), suite: own("suite"), state: own("state"), tls: own("tls") };
}

/** Makes the folders and puts the operator's environment into this process. */
export async function becomeBenchOperator(place: Place): Promise<void> {
  await mkdir(place.state, { recursive: true, mode: 0o700 });
  await mkdir(place.project, { recursive: true });
  await makeSuite("1.0.0", place.suite);
  const passphrase = join(place.folder, "passphrase");
  if (!existsSync(passphrase))
    await writeFile(passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  const own = parse(await readFile(join(checkout, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
  await writeFile(
    join(place.project, "Pulumi.yaml"),
    stringify({ ...own, main: join(checkout, "index.ts") }),
  );
  // What leads elsewhere: another operator's stacks, agent or credentials.
  for (const name of Object.keys(process.env))
    if (/^(PULUMI|OVH|GEOCLIC)_/.test(name) || name === "SSH_AUTH_SOCK") delete process.env[name];
  Object.assign(process.env, toolchainEnvironment(process.env), {
    // Substitutes of plugins warn everywhere else.
    GEOCLIC_LAB: "1",
    GEOCLIC_HOME: place.folder,
    PULUMI_BACKEND_URL: `file://${place.state}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    // As env.sh sets it.
    PULUMI_CONTINUE_ON_ERROR: "true",
    NODE_EXTRA_CA_CERTS: join(place.tls, "ca.pem"),
  });
}
