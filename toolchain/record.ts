/** @module What the toolchain consists of, as `npm run setup` found or made it. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** `path`: found on PATH; `official`: downloaded from Pulumi; `built`: from its Go module; `substitute`: our own. */
export type Origin = "path" | "official" | "built" | "substitute";

export interface Tool {
  readonly version: string;
  readonly origin: Origin;
  /** Folder of the program. */
  readonly folder: string;
}

export interface ToolchainRecord {
  readonly cli: Tool;
  readonly host: Tool;
  readonly plugins: readonly (Tool & { readonly name: string })[];
}

/** Plugins that the program uses, by the npm package that each belongs to and has its version from. */
const pluginPackages = {
  command: "@pulumi/command",
  ovh: "@ovhcloud/pulumi-ovh",
  random: "@pulumi/random",
  tls: "@pulumi/tls",
} as const;

export type PluginName = keyof typeof pluginPackages;

export const pluginNames = Object.keys(pluginPackages) as PluginName[];

const here = import.meta.dirname;
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "geoclic-fleet", "toolchain");

/** Folder of this checkout's toolchain; its name is a hash of all that decides what is in it. */
export function toolchainFolder(): string {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\0`);
  for (const name of ["@pulumi/pulumi", ...Object.values(pluginPackages)])
    hash.update(`${name} ${packageVersion(name)}\0`);
  for (const path of sources(here)) hash.update(`${path.slice(here.length)}\0`).update(readFileSync(path));
  return join(cache, hash.digest("hex").slice(0, 16));
}

/** The record of this checkout's toolchain; undefined before `npm run setup`. */
export function readToolchain(): ToolchainRecord | undefined {
  const path = join(toolchainFolder(), "record.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as ToolchainRecord) : undefined;
}

/** Version of an npm package that is installed. */
export function packageVersion(name: string): string {
  return manifest(name).version;
}

/** The plugin that the program's npm package asks for, and where it is to be had if not at Pulumi's own place. */
export function wantedPlugin(name: PluginName): { readonly version: string; readonly server?: string } {
  const { version, pulumi } = manifest(pluginPackages[name]);
  return { version, ...(pulumi?.server === undefined ? {} : { server: pulumi.server }) };
}

function manifest(name: string): { version: string; pulumi?: { server?: string } } {
  return JSON.parse(readFileSync(join(here, "..", "node_modules", name, "package.json"), "utf8"));
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(({ name }) => /\.(go|mod|sum)$|^setup\.ts$/.test(name) && !name.endsWith("_test.go"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
