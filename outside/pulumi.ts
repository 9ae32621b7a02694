/** @module Pulumi's engine: converges a stack and tells, resource by resource, what it did and how long it took. */
import type { OpMap } from "@pulumi/pulumi/automation/index.js";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { lastLine } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import type { Secured } from "../core/registry/editor.ts";
import { readStackText } from "../core/registry/stack-text.ts";
import type { Language } from "../core/messages/catalogue.ts";
import { openEngine } from "./engine.ts";
import { passphraseError } from "./passphrase.ts";

export interface ConvergeOptions {
  readonly stack: string;
  /** Folder of Pulumi.yaml and the stack files. */
  readonly project: string;
  /** Called when a resource's work begins and ends, and for each line it prints. */
  readonly onProgress: (line: string) => void;
  /** Of the causes. @default the environment's */
  readonly language?: Language;
}

export interface Convergence {
  /** Resources by operation, e.g. `{same: 12, create: 3}`. What was only read is no change. */
  readonly changes: Readonly<Partial<Record<keyof OpMap | string, number>>>;
  /** Seconds by resource that was worked on, in the order of their end. */
  readonly seconds: ReadonlyMap<string, number>;
  /** Secrets in clear: never print the whole. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * Runs `pulumi up`; a stack that does not exist is made. One client's failure leaves the others to go on.
 * What a run that was killed left behind is cleared first.
 * @throws FleetError `ENGINE_FAILED` with the cause of each resource that failed, `STACK_LOCKED`
 */
export async function converge({ onProgress, ...options }: ConvergeOptions): Promise<Convergence> {
  const began = new Map<string, number>();
  const run = await openEngine(options).up({
    onStep: (client, step) => {
      began.set(`${client}-${step}`, Date.now());
      onProgress(`${client}-${step}: …`);
    },
    onStepEnd: (client, step) => {
      const start = began.get(`${client}-${step}`) ?? Date.now();
      onProgress(`${client}-${step}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
    },
    onLine: (text, client) => onProgress(client ? `  ${client} | ${text}` : text),
  });
  const cause = run.failures.map(({ message }) => message).join("\n");
  if (cause) throw new FleetError("ENGINE_FAILED", { verb: "up", stack: options.stack, cause });
  return { changes: run.counts, seconds: run.seconds, outputs: run.outputs };
}

/** A stack's outputs, secrets in clear: never print the whole. */
export async function readOutputs(stack: string): Promise<Record<string, unknown>> {
  const json = await pulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack], stack);
  return JSON.parse(json) as Record<string, unknown>;
}

/** An output of a stack, secrets in clear. @throws FleetError `OUTPUT_MISSING` */
export async function readOutput(stack: string, output: string): Promise<unknown> {
  const value = (await readOutputs(stack))[output];
  if (value === undefined) throw new FleetError("OUTPUT_MISSING", { stack, output });
  return value;
}

/** Name of the stack that is selected in the working folder. @throws FleetError `STACK_MISSING` */
export async function selectedStack(): Promise<string> {
  return (await pulumi(["stack", "--show-name"], undefined)).trim();
}

/** Resources of one client in a stack's state, everything below its component. */
export async function clientResources(
  stack: string,
  client: string,
): Promise<{ readonly urn: string; readonly isProtected: boolean }[]> {
  const resources = await stackResources(stack);
  const own = new Set(
    resources
      .map(({ urn }) => urn)
      .filter((urn) => urn.endsWith(`::${client}`) && /[$:]geoclic:fleet:ClientServer::/.test(urn)),
  );
  // A parent stands before its children in a state.
  for (const { urn, parent } of resources) if (parent !== undefined && own.has(parent)) own.add(urn);
  return resources
    .filter(({ urn }) => own.has(urn))
    .map(({ urn, protect = false }) => ({ urn, isProtected: protect }));
}

/** Lets the next `up` delete a client's protected resources, once it is no longer declared. */
export async function unprotectClient(stack: string, client: string): Promise<void> {
  const urns = (await clientResources(stack, client))
    .filter(({ isProtected }) => isProtected)
    .map(({ urn }) => urn);
  await unprotect(stack, urns);
}

/** Lets the next `up` delete resources. */
export async function unprotect(stack: string, urns: readonly string[]): Promise<void> {
  if (urns.length > 0) await pulumi(["state", "unprotect", ...urns, "--yes", "--stack", stack], stack);
}

/** The fleet's keys in a master stack's state, by generation. */
export async function keyResources(
  stack: string,
): Promise<{ readonly urn: string; readonly generation: number; readonly isProtected: boolean }[]> {
  return keysOf(await stackResources(stack)).map(({ urn, generation, protect = false }) => ({
    urn,
    generation,
    isProtected: protect,
  }));
}

/** Private halves of the fleet's keys in a master stack's state, in OpenSSH's format, oldest generation first. Never print. */
export async function keySecrets(stack: string): Promise<string[]> {
  return keysOf(await stackResources(stack, ["--show-secrets"]))
    .sort((one, other) => one.generation - other.generation)
    .flatMap(({ outputs }) => {
      const secret = Secret.safeParse(outputs?.privateKeyOpenssh);
      return secret.success ? [secret.data.plaintext] : [];
    });
}

/** What an exported state that shows secrets has in a secret's place: its value as JSON. */
const Secret = z.object({ plaintext: z.string().transform((json) => z.string().parse(JSON.parse(json))) });

function keysOf(resources: readonly StateResource[]): (StateResource & { readonly generation: number })[] {
  return resources.flatMap((resource) => {
    const found = /::fleet-key(?:-(\d+))?-ssh$/.exec(resource.urn);
    return found ? [{ ...resource, generation: Number(found[1] ?? 1) }] : [];
  });
}

/** Names of the project's stacks, and how many resources each has where the backend tells it. */
export async function projectStacks(): Promise<
  { readonly name: string; readonly resources: number | undefined }[]
> {
  const json = await pulumi(["stack", "ls", "--json"], undefined);
  const stacks = JSON.parse(json) as readonly { readonly name: string; readonly resourceCount?: number }[];
  return stacks.map(({ name, resourceCount }) => ({
    name: name.split("/").at(-1) ?? name,
    resources: resourceCount,
  }));
}

interface StateResource {
  readonly urn: string;
  readonly parent?: string;
  readonly protect?: boolean;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

async function stackResources(
  stack: string,
  options: readonly string[] = [],
): Promise<readonly StateResource[]> {
  const text = await pulumi(["stack", "export", ...options, "--stack", stack], stack);
  const { deployment } = JSON.parse(text) as { deployment: { resources?: readonly StateResource[] } };
  return deployment.resources ?? [];
}

/**
 * Encrypts values as a stack does, without touching its file. Values travel by standard input.
 * @returns what the engine wrote: the values by client and variable, and the keys beside the configuration
 */
export async function encryptSecrets(
  stack: string,
  file: string,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<{ secured: Record<string, Record<string, Secured>>; top: Record<string, string> }> {
  const folder = await mkdtemp(join(tmpdir(), "geoclic-secrets-"));
  const copy = join(folder, "Pulumi.yaml");
  try {
    await copyFile(file, copy);
    for (const [client, values] of Object.entries(secrets))
      for (const [variable, value] of Object.entries(values)) {
        const key = `geoclic-fleet:secrets.${client}.${variable}`;
        const options = ["--secret", "--path", "--config-file", copy, "--stack", stack];
        await pulumi(["config", "set", key, ...options], stack, value);
      }
    const made = readStackText(await readFile(copy, "utf8"), file);
    const config = made.config as Record<string, Record<string, Record<string, Secured>>>;
    const names = ["secretsprovider", "encryptedkey", "encryptionsalt"];
    const top = names.flatMap((name) =>
      typeof made[name] === "string" ? [[name, made[name] as string]] : [],
    );
    const all = config["geoclic-fleet:secrets"] ?? {};
    const asked = Object.keys(secrets).flatMap((client) =>
      all[client] ? [[client, all[client]] as const] : [],
    );
    return { secured: Object.fromEntries(asked), top: Object.fromEntries(top) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pulumi(words: readonly string[], stack: string | undefined, input?: string): Promise<string> {
  const result = await execa("pulumi", [...words, "--non-interactive"], {
    reject: false,
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
  });
  if (result.exitCode === 0) return String(result.stdout);
  if (result.exitCode === undefined)
    throw new FleetError("TOOL_MISSING", { tool: "pulumi", fix: "phrase.setUp" });
  const stderr = String(result.stderr);
  if (/no stack named|no stack selected/i.test(stderr))
    throw new FleetError("STACK_MISSING", {
      stack: stack ?? "(selected)",
      backend: process.env.PULUMI_BACKEND_URL ?? "pulumi's default backend",
    });
  throw (
    passphraseError(stderr, stack ?? "") ??
    new FleetError("ENGINE_FAILED", {
      verb: words[0] ?? "",
      stack: stack ?? "",
      cause: lastLine(stderr),
    })
  );
}
