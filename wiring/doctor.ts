/** @module The machine that the tool runs on: its programs, what it holds, what a killed run left. */
import { execa } from "execa";
import { home } from "../outside/home.ts";
import { releaseStore } from "../outside/release-store.ts";
import { findInterrupted } from "../outside/stack-lock.ts";
import { readToolchain } from "../toolchain/record.ts";

export interface Tool {
  readonly name: string;
  /** Empty when the tool is missing. */
  readonly version: string;
  readonly origin: "path" | "official" | "built" | "substitute";
  readonly fix: string;
}

/** Programs found on PATH: name, words that print the version, and how to get it. */
const programs: readonly (readonly [string, readonly string[], string])[] = [
  ["node", ["--version"], "npm ci"],
  ["git", ["--version"], "apt-get install git"],
  ["ssh", ["-V"], "apt-get install openssh-client"],
  ["ssh-agent", [], "apt-get install openssh-client"],
  ["rsync", ["--version"], "apt-get install rsync"],
  [
    "docker",
    ["version", "--format", "{{.Client.Version}} / engine {{.Server.Version}}"],
    "docs.docker.com/engine/install",
  ],
  ["docker buildx", ["version"], "docs.docker.com/engine/install (docker-buildx-plugin)"],
];

/** Every program that the tool needs. */
export async function readTools(): Promise<Tool[]> {
  return [...(await toolchain()), ...(await Promise.all(programs.map(program)))];
}

/** Ids of the releases that this machine holds. */
export function heldReleases(): Promise<readonly string[]> {
  return releaseStore(home().state).list();
}

export { findInterrupted };

async function toolchain(): Promise<Tool[]> {
  const record = readToolchain();
  const fix = "npm run setup";
  if (!record) return [{ name: "pulumi", version: "", origin: "official", fix }];
  return [
    { name: "pulumi", version: record.cli.version, origin: record.cli.origin, fix },
    { name: "pulumi-language-nodejs", version: record.host.version, origin: record.host.origin, fix },
    ...record.plugins.map(({ name, version, origin }) => ({ name: `plugin ${name}`, version, origin, fix })),
  ];
}

async function program([name, words, fix]: (typeof programs)[number]): Promise<Tool> {
  const [file = "", ...first] = name.split(" ");
  const command = words.length > 0 ? ([file, [...first, ...words]] as const) : (["which", [file]] as const);
  const result = await execa(command[0], command[1], { reject: false, stdin: "ignore", timeout: 10_000 });
  const said =
    String(result.stdout || result.stderr || "")
      .split("\n")[0]
      ?.trim() ?? "";
  return { name, version: result.exitCode === 0 ? said : "", origin: "path", fix };
}
