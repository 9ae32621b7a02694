/**
 * @module Finds or makes what Pulumi needs: its CLI, the Node.js language host and the plugins; the official ones where
 * they can be had, else built from the Go module or our substitutes. Quick when it is done already.
 */
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import {
  type Origin,
  type PluginName,
  packageVersion,
  pluginNames,
  readToolchain,
  type Tool,
  toolchainFolder,
  type ToolchainRecord,
  wantedPlugin,
} from "./record.ts";

const version = packageVersion("@pulumi/pulumi");
const official = "https://get.pulumi.com/releases/sdk";
const here = import.meta.dirname;

const target = toolchainFolder();
const known = readToolchain();
// A CLI of the machine's own may be gone since.
if (known && !existsSync(join(known.cli.folder, "pulumi"))) await rm(target, { recursive: true });
if (!readToolchain()) await make();

async function make(): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const partial = await mkdtemp(`${target}.partial-`);
  try {
    const bin = join(partial, "bin");
    await mkdir(bin);
    const found = (await onPath()) ?? (await download(bin)) ?? (await build(bin));
    const cli = { ...found, folder: final(partial, found.folder) };
    const host = await languageHost(bin, found);
    const plugins = await installPlugins(partial, bin, found);
    await stopAutomaticLogs(join(partial, "pulumi-home"));
    // Where Pulumi can be had, a plugin that cannot is an accident.
    if (found.origin !== "built" && plugins.some((plugin) => plugin.origin === "substitute"))
      say(
        `substitutes are for the lab; to try for the official plugins again: rm -r ${target} && npm run setup`,
      );
    const record: ToolchainRecord = { cli, host: { ...host, folder: final(partial, host.folder) }, plugins };
    await writeFile(join(partial, "record.json"), `${JSON.stringify(record, null, 1)}\n`);
    await chmod(partial, 0o755);
    await rename(partial, target).catch((error: NodeJS.ErrnoException) => {
      // Another process was quicker with the same content.
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/**
 * The engine writes a trace of every run into a folder of its home, compressed and encrypted: a fifth of the time of a run
 * without changes, and secrets at rest. It goes without where that folder cannot be made; `-v 9 --logtostderr` still works.
 */
async function stopAutomaticLogs(pulumiHome: string): Promise<void> {
  await mkdir(pulumiHome, { recursive: true });
  await writeFile(join(pulumiHome, "logs"), "No folder, so that the engine writes no automatic logs.\n");
}

/** A path inside the partial folder as it will be after the rename. */
function final(partial: string, path: string): string {
  return path.startsWith(partial) ? target + path.slice(partial.length) : path;
}

/** The CLI of this version or a newer one of the same line, with its language host. */
async function onPath(): Promise<Tool | undefined> {
  const which = await execa("which", ["pulumi", "pulumi-language-nodejs"], { reject: false });
  const folder = dirname(String(which.stdout).split("\n")[0] ?? "");
  if (which.exitCode !== 0 || folder.startsWith(dirname(target))) return undefined;
  const { stdout } = await execa("pulumi", ["version"], { reject: false });
  const found = stdout?.trim().replace(/^v/, "") ?? "";
  if (!isAtLeast(found, version)) return undefined;
  say(`Pulumi ${found}: the one on PATH`);
  return { version: found, origin: "path", folder };
}

/** True for the same major version, and the same or a later minor and patch version. */
function isAtLeast(found: string, wanted: string): boolean {
  if (!/^\d+\.\d+\.\d+$/.test(found) || found.split(".")[0] !== wanted.split(".")[0]) return false;
  return found.localeCompare(wanted, "en", { numeric: true }) >= 0;
}

/** Pulumi's own archive, whose folder holds the CLI and all language hosts. */
async function download(bin: string): Promise<Tool | undefined> {
  const url = `${official}/pulumi-v${version}-linux-${process.arch}.tar.gz`;
  const archive = await answer(url, 10_000);
  if (!archive?.ok) {
    say(`Pulumi's download host is out of reach: the CLI is built from its Go module (some 7 minutes once)`);
    return undefined;
  }
  say(`Pulumi ${version}: official, being downloaded`);
  const content = Buffer.from(await archive.arrayBuffer());
  await execa("tar", ["-xz", "-C", bin, "--strip-components=1"], { input: content });
  return { version, origin: "official", folder: bin };
}

/** A host must answer soon; the body of its answer may take its time. */
async function answer(url: string, milliseconds: number): Promise<Response | undefined> {
  const impatience = new AbortController();
  const timer = setTimeout(() => impatience.abort(), milliseconds);
  try {
    return await fetch(url, { signal: impatience.signal });
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function build(bin: string): Promise<Tool> {
  const began = Date.now();
  const stamp = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
  await go(["build", "-ldflags", `-s -w ${stamp}`, "-o", bin, "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"]);
  say(`Pulumi ${version}: built in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  return { version, origin: "built", folder: bin };
}

async function languageHost(bin: string, cli: Tool): Promise<Tool> {
  if (cli.origin !== "built") return cli;
  await go([
    "build",
    "-ldflags",
    `-s -w -X main.version=${version}`,
    "-o",
    bin,
    "./cmd/pulumi-language-nodejs",
  ]);
  say("Node.js language host: our own");
  return { version, origin: "substitute", folder: bin };
}

async function installPlugins(partial: string, bin: string, cli: Tool): Promise<ToolchainRecord["plugins"]> {
  const home = join(partial, "pulumi-home");
  const plugins = [];
  let substitute: string | undefined;
  for (const name of pluginNames) {
    const { version } = wantedPlugin(name);
    let origin: Origin = "official";
    if (cli.origin === "built" || !(await installOfficial(home, cli, name))) {
      origin = "substitute";
      substitute ??= await buildSubstitute(bin);
      await installSubstitute(home, substitute, name, version);
    }
    say(`plugin ${name} ${version}: ${origin}`);
    const folder = join(target, "pulumi-home/plugins", `resource-${name}-v${version}`);
    plugins.push({ name, version, origin, folder });
  }
  return plugins;
}

async function installOfficial(home: string, cli: Tool, name: PluginName): Promise<boolean> {
  const { version, server } = wantedPlugin(name);
  const words = ["plugin", "install", "resource", name, version, ...(server ? ["--server", server] : [])];
  const result = await execa(join(cli.folder, "pulumi"), words, {
    env: { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "1" },
    reject: false,
    timeout: 120_000,
  });
  if (result.exitCode === 0) return true;
  const reason = (result.stderr ?? "").trim().split("\n").at(-1);
  say(`plugin ${name} ${version}: the official one cannot be installed: ${reason || "it took too long"}`);
  return false;
}

async function buildSubstitute(bin: string): Promise<string> {
  const program = join(bin, "pulumi-resource-substitute");
  await go(["build", "-ldflags", "-s -w", "-o", program, "./cmd/pulumi-resource-substitute"]);
  return program;
}

/** The layout that `pulumi plugin install` makes. */
async function installSubstitute(
  home: string,
  program: string,
  name: PluginName,
  version: string,
): Promise<void> {
  const folder = join(home, "plugins", `resource-${name}-v${version}`);
  await mkdir(folder, { recursive: true });
  await copyFile(program, join(folder, `pulumi-resource-${name}`));
  await writeFile(join(folder, "SUBSTITUTE"), "Not the official plugin: see toolchain/ of geoclic-fleet.\n");
}

async function go(words: readonly string[]): Promise<void> {
  const result = await execa("go", [...words.slice(0, 1), "-trimpath", ...words.slice(1)], {
    cwd: here,
    env: { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly -buildvcs=false", GOWORK: "off" },
    stdio: ["ignore", "inherit", "inherit"],
    reject: false,
  });
  if (result.exitCode !== 0)
    throw new Error(
      `go ${words.join(" ")} failed with ${result.exitCode ?? "no status (is go installed?)"}; see the lines above`,
    );
}

function say(line: string): void {
  console.log(`  ${line}`);
}
