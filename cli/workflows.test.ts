/**
 * Workflows are held to rules: no secret for forks, none without a reviewed environment, none in a command line.
 * Not proven: what GitHub does with them, and that the environments have reviewers there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: unknown;
  readonly "timeout-minutes"?: number;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = resolve(import.meta.dirname, "../.github/workflows");
const read = (text: string) => parse(text) as Workflow;
const sameRepository = "github.event.pull_request.head.repo.full_name == github.repository";

/** What is wrong with a workflow, a line each. */
function problems(workflow: Workflow): string[] {
  const found: string[] = [];
  const jobs = Object.entries(workflow.jobs);
  if ("pull_request_target" in workflow.on || "workflow_run" in workflow.on)
    found.push("runs a stranger's code with our secrets");
  if (workflow.permissions === undefined) found.push("has every permission");
  if (workflow.concurrency === undefined) found.push("has no concurrency group");
  for (const [name, job] of jobs) {
    const hasSecrets = /secrets\./.test(JSON.stringify(job));
    if (hasSecrets && job.environment === undefined) found.push(`${name}: secrets without an environment`);
    const isGuarded = job.if === sameRepository;
    if (hasSecrets && "pull_request" in workflow.on && !isGuarded) found.push(`${name}: forks get in`);
    if (job["timeout-minutes"] === undefined) found.push(`${name}: has no end`);
    for (const { uses, run = "", env = {} } of job.steps) {
      if (uses !== undefined && !/^[\w./-]+@[0-9a-f]{40}$/.test(uses))
        found.push(`${name}: ${uses} may be moved`);
      if (/\$\{\{/.test(run)) found.push(`${name}: an expression in shell text`);
      const secrets = Object.entries(env).filter(([, value]) => String(value).includes("secrets."));
      for (const [variable] of secrets)
        if (run.includes(`$${variable}`)) found.push(`${name}: ${variable} in a command line`);
    }
  }
  return found;
}

const files = readdirSync(folder).filter((file) => file.endsWith(".yml"));

test("these are the workflows", () => {
  expect(files.sort()).toEqual(["preview.yml", "test.yml", "update.yml"]);
});

test.each(files)("%s keeps the rules", (file) => {
  expect(problems(read(readFileSync(join(folder, file), "utf8")))).toEqual([]);
});

describe("the rules find what breaks them", () => {
  const good = readFileSync(join(folder, "preview.yml"), "utf8");
  test.each<[string, string | RegExp, string, string]>([
    ["strangers", "  pull_request:", "  pull_request_target:", "runs a stranger's code with our secrets"],
    ["forks", /(needs: verify\n) {4}if: .*/, "$1", "preview: forks get in"],
    ["no reviewer", "    environment: preview\n", "", "preview: secrets without an environment"],
    ["a tag", /checkout@[0-9a-f]{40}/, "checkout@v5", "verify: actions/checkout@v5 may be moved"],
    [
      "a secret in argv",
      "pulumi preview",
      "echo $PULUMI_CONFIG_PASSPHRASE; pulumi preview",
      "preview: PULUMI_CONFIG_PASSPHRASE in a command line",
    ],
    [
      "an expression",
      ". ./env.sh",
      "echo ${{ github.event.pull_request.title }}",
      "preview: an expression in shell text",
    ],
  ])("%s", (_, from, to, expected) => {
    const text = good.replace(from, to);
    expect(text).not.toBe(good);
    expect(problems(read(text))).toContain(expected);
  });
});
