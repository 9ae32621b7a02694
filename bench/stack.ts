/** @module The benchmarks' stacks: configured by file, run by Pulumi's command line as people run it. */
import { existsSync } from "node:fs";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { Document, parseDocument } from "yaml";
import { measure, type Run } from "./measure.ts";
import type { Place } from "./place.ts";
import { median, type VerbCost } from "./results.ts";

/** `up` runs a preview first, as it does by hand; `up --skip-preview` is what our own commands run. */
export type Verb = "preview" | "up" | "up --skip-preview";

export async function configure(
  { project }: Pick<Place, "project">,
  stack: string,
  config: Readonly<Record<string, unknown>>,
): Promise<void> {
  const path = join(project, `Pulumi.${stack}.yaml`);
  // The salt of its secrets stays.
  const document = existsSync(path) ? parseDocument(await readFile(path, "utf8")) : new Document({});
  const values = Object.entries(config).map(([key, value]) => [`geoclic-fleet:${key}`, value]);
  document.set("config", document.createNode(Object.fromEntries(values)));
  await writeFile(path, document.toString());
}

/** @returns whether the stack is new */
export async function ensureStack(
  { project, state }: Pick<Place, "project" | "state">,
  stack: string,
): Promise<boolean> {
  // A benchmark that was killed left its lock.
  await rm(join(state, ".pulumi/locks/organization/geoclic-fleet", stack), { recursive: true, force: true });
  const made = await execa("pulumi", ["stack", "init", stack, "--non-interactive"], {
    cwd: project,
    reject: false,
  });
  if (made.exitCode !== 0 && !/already exists/.test(made.stderr)) throw new Error(made.stderr);
  return made.exitCode === 0;
}

const verbs: readonly Verb[] = ["preview", "up --skip-preview", "up"];

/**
 * Each verb several times, on a stack that has nothing to do.
 * @throws Error when it has: the preview, which comes first, tells it
 */
export async function measureVerbs(
  place: Pick<Place, "project">,
  stack: string,
  runs: number,
  report: (line: string) => void,
  connections: () => number = () => Number.NaN,
): Promise<Record<string, VerbCost>> {
  const costs: Record<string, VerbCost> = {};
  for (const verb of verbs) {
    const before = connections();
    const each: Run[] = [];
    // One after the other: at the same time they would measure each other.
    for (let run = 0; run < runs; run += 1) {
      const done = await pulumi(place, stack, verb, ["--expect-no-changes"]);
      report(`${verb} ${done.seconds.toFixed(2)} s, ${done.cpuSeconds.toFixed(2)} s of CPU`);
      each.push(done);
    }
    costs[verb] = { ...median(each), connections: connections() - before };
  }
  return costs;
}

/** @throws Error with the last lines that it printed when it fails */
export async function pulumi(
  { project }: Pick<Place, "project">,
  stack: string,
  verb: Verb,
  options: readonly string[] = [],
): Promise<Run> {
  const words = verb === "preview" ? ["preview"] : ["up", "--yes", ...verb.split(" ").slice(1)];
  const run = await measure(["pulumi", ...words, "--stack", stack, "--non-interactive", ...options], {
    cwd: project,
  });
  if (run.status !== 0) throw new Error(`pulumi ${verb} of ${stack} failed: …\n${tail(run.output)}`);
  return run;
}

function tail(text: string): string {
  return text.trimEnd().split("\n").slice(-30).join("\n");
}

export async function output(
  { project }: Pick<Place, "project">,
  stack: string,
  name: string,
): Promise<string> {
  const words = ["stack", "output", name, "--show-secrets", "--stack", stack];
  return (await execa("pulumi", words, { cwd: project })).stdout;
}

/** The fleet's key, in OpenSSH's format, from the state of the master stack: never print it. */
export async function fleetKey({ project }: Pick<Place, "project">): Promise<string> {
  const words = ["stack", "export", "--show-secrets", "--stack", "master"];
  const { stdout } = await execa("pulumi", words, { cwd: project });
  const { deployment } = JSON.parse(stdout) as {
    deployment: { resources: { urn: string; outputs?: { privateKeyOpenssh?: { plaintext: string } } }[] };
  };
  const key = deployment.resources.find(({ urn }) => urn.endsWith("::fleet-key-ssh"))?.outputs;
  return JSON.parse(key?.privateKeyOpenssh?.plaintext ?? "null") as string;
}

export async function stateBytes({ state }: Pick<Place, "state">, stack: string): Promise<number> {
  return (await stat(stateFile(state, stack))).size;
}

/** Resources of the state, components and the stack itself included. */
export async function resourceCount({ state }: Pick<Place, "state">, stack: string): Promise<number> {
  const { checkpoint } = JSON.parse(await readFile(stateFile(state, stack), "utf8")) as {
    checkpoint: { latest?: { resources?: unknown[] } };
  };
  return checkpoint.latest?.resources?.length ?? 0;
}

/** Forgets a stack; there is nothing behind it but imitations. */
export async function forget(
  { project, state }: Pick<Place, "project" | "state">,
  stack: string,
): Promise<void> {
  await rm(join(project, `Pulumi.${stack}.yaml`), { force: true });
  for (const end of ["", ".bak", ".attrs"]) await rm(`${stateFile(state, stack)}${end}`, { force: true });
}

function stateFile(state: string, stack: string): string {
  return join(state, ".pulumi/stacks/geoclic-fleet", `${stack}.json`);
}
