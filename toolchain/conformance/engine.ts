/**
 * @module One stack of an inline program on a temporary file backend, driven through Pulumi's Automation API. Shared by
 * the suites of this folder.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import automation, { type Stack } from "@pulumi/pulumi/automation/index.js";
import { execa } from "execa";
import { toolchainEnvironment } from "../environment.ts";
import { readToolchain } from "../record.ts";

/** Number of resources by what was done with them: `same`, `create`, `update`, `replace`, `delete`; the stack counts. */
export type Changes = Readonly<Record<string, number>>;

/** A program: declares resources, returns the stack's outputs. */
export type Program = () => Record<string, unknown>;

export interface Run {
  readonly changes: Changes;
  /** All that the CLI printed. */
  readonly printed: string;
}

/** A stack's output; a secret one is in clear here. */
export interface Output {
  readonly value: unknown;
  readonly secret: boolean;
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** Key by which the engine marks a secret in a state. */
const secretMark = "4dabf18193072939515e22adb298388d";

export const isSecret = (value: unknown): boolean =>
  typeof value === "object" && value !== null && secretMark in value;

/** True when the installed plugin is our substitute: it says so in a file beside itself. */
export function isSubstitute(name: string): boolean {
  const plugin = readToolchain()?.plugins.find((candidate) => candidate.name === name);
  if (!plugin) throw new Error(`no plugin ${name}: run \`npm run setup\``);
  return existsSync(join(plugin.folder, "SUBSTITUTE"));
}

export class Engine {
  /** Holds backend and project; for the tests' own files too. */
  readonly folder: string;
  readonly #stack: Stack;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(folder: string, stack: Stack, environment: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#stack = stack;
    this.#environment = environment;
  }

  /** @param environment of the CLI and so of its plugins, beside the toolchain's */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<Engine> {
    const folder = await mkdtemp(join(tmpdir(), "conformance-"));
    await mkdir(join(folder, "state"));
    // The Automation API adds to the process's environment: what would lead the engine elsewhere must be absent from it.
    for (const name of Object.keys(process.env))
      if (/^(PULUMI|OVH)_/.test(name) || name === "GEOCLIC_LAB") delete process.env[name];
    const wanted = toolchainEnvironment(process.env);
    // The CLI is looked up on it.
    process.env.PATH = wanted.PATH;
    const settings = {
      GEOCLIC_LAB: "1",
      ...wanted,
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "conformance",
      ...environment,
    };
    const stack = await automation.LocalWorkspace.createStack(
      { stackName: "test", projectName: "conformance", program: async () => ({}) },
      { workDir: folder, envVars: settings },
    );
    return new Engine(folder, stack, settings);
  }

  async up(program: Program): Promise<Run> {
    let printed = "";
    const result = await this.#stack.up({
      program: async () => program(),
      color: "never",
      onOutput: (text) => {
        printed += text;
      },
    });
    return { changes: result.summary.resourceChanges ?? {}, printed };
  }

  /** @returns text of the failure, the CLI's output included @throws Error when it does not fail */
  async failingUp(program: Program): Promise<string> {
    try {
      await this.up(program);
    } catch (error) {
      return String(error);
    }
    throw new Error("expected `up` to fail, it succeeded");
  }

  async preview(program: Program): Promise<Changes> {
    const result = await this.#stack.preview({ program: async () => program(), color: "never" });
    return result.changeSummary;
  }

  async refresh(): Promise<Changes> {
    const result = await this.#stack.refresh({ color: "never" });
    return result.summary.resourceChanges ?? {};
  }

  /** @returns text of the failure, the CLI's output included @throws Error when it does not fail */
  async failingRefresh(): Promise<string> {
    try {
      await this.refresh();
    } catch (error) {
      return String(error);
    }
    throw new Error("expected `refresh` to fail, it succeeded");
  }

  async destroy(): Promise<void> {
    await this.#stack.destroy({ color: "never" });
  }

  async output(name: string): Promise<Output> {
    const found = (await this.#stack.outputs())[name];
    if (!found) throw new Error(`the stack has no output ${name}`);
    return found;
  }

  /** A resource of the state by its name, secrets as ciphertext. */
  async resource(name: string): Promise<StateResource> {
    const { deployment } = JSON.parse(await this.exported()) as {
      deployment: { resources: StateResource[] };
    };
    const { resources } = deployment;
    const found = resources.find((candidate) => candidate.urn.endsWith(`::${name}`));
    if (!found) throw new Error(`no resource ${name} in the state`);
    return found;
  }

  /** Everything that is kept: the exported state, and each file of the backend with its backups and history. */
  async kept(): Promise<string> {
    const state = join(this.folder, "state");
    const entries = await readdir(state, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const contents = await Promise.all(files.map((file) => readFile(file, "utf8")));
    return [await this.exported(), ...contents].join("\n");
  }

  /** As the CLI exports it; the Automation API's own export shows secrets. */
  private async exported(): Promise<string> {
    const words = ["stack", "export", "--stack", "test", "--non-interactive"];
    return (await execa("pulumi", words, { cwd: this.folder, env: this.#environment })).stdout;
  }

  async end(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
