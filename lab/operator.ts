/** @module The operator of the lab: a home, stacks and a passphrase of their own, outside the checkout. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setDefaultCACertificates } from "node:tls";
import { Document, parse, parseDocument, stringify } from "yaml";
import { ensureAgent, fleetKeys } from "../outside/agent.ts";
import { withFileLock } from "../outside/file-lock.ts";
import { loadFleetKeys } from "../outside/fleet-agent.ts";
import { type Convergence, converge } from "../outside/pulumi.ts";
import { labEnvironment } from "./environment.ts";
import { OPERATOR, TRUST_BUNDLE } from "./layout.ts";

const checkout = resolve(import.meta.dirname, "..");

/** Folder of the lab's Pulumi.yaml and stack files. */
export const project = join(OPERATOR, "project");
/** The operator's working copy of the suite; edit it to make a new release. */
export const suitePath = join(OPERATOR, "suite");

/** Makes this process the lab's operator: its environment, state backend, passphrase and project. */
export async function becomeOperator(): Promise<void> {
  await mkdir(join(OPERATOR, "state"), { recursive: true, mode: 0o700 });
  await mkdir(project, { recursive: true });
  const passphrase = join(OPERATOR, "passphrase");
  if (!existsSync(passphrase))
    await writeFile(passphrase, randomBytes(24).toString("base64url"), { mode: 0o600 });
  Object.assign(process.env, labEnvironment());
  trustLab(await readFile(TRUST_BUNDLE, "utf8"));
  delete process.env.PULUMI_CONFIG_PASSPHRASE;
  const own = parse(await readFile(join(checkout, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
  await writeFile(join(project, "Pulumi.yaml"), stringify({ ...own, main: join(checkout, "index.ts") }));
}

/** Sets a stack's configuration; what Pulumi keeps beside it (the salt of its secrets) stays. */
export async function configureStack(
  stack: string,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  const path = join(project, `Pulumi.${stack}.yaml`);
  const document = existsSync(path) ? parseDocument(await readFile(path, "utf8")) : new Document({});
  const values = Object.entries(config).map(([key, value]) => [`geoclic-fleet:${key}`, value]);
  document.set("config", document.createNode(Object.fromEntries(values)));
  await writeFile(path, document.toString());
}

export function convergeStack(stack: string, onProgress: (line: string) => void): Promise<Convergence> {
  return converge({ stack, project, onProgress });
}

/** Converges the master stack and loads its key into the agent. @returns the public key and what changed */
export async function convergeMaster(
  onProgress: (line: string) => void,
): Promise<{ publicKey: string; convergence: Convergence }> {
  // Tests run side by side, and each wants the key.
  const convergence = await withFileLock(join(OPERATOR, "master"), async () => {
    // A file that is there may tell a rotation of the key.
    if (!existsSync(join(project, "Pulumi.master.yaml")))
      await configureStack("master", { role: "master", protect: false });
    return convergeStack("master", onProgress);
  });
  const socket = await ensureAgent();
  process.env.SSH_AUTH_SOCK = socket;
  const publicKey = String(convergence.outputs.publicKey);
  const [type, blob] = publicKey.split(" ");
  if (!(await fleetKeys()).includes(`${type} ${blob}`)) await loadFleetKeys(socket, "master");
  return { publicKey, convergence };
}

/** NODE_EXTRA_CA_CERTS is read when a process starts; this one has started. */
function trustLab(bundle: string): void {
  setDefaultCACertificates(bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []);
}
