/** @module `doctor`: each tool, its version and origin, and what to do about one that is missing. */
import { execa } from "execa";
import { home } from "../../outside/home.ts";
import { releaseStore } from "../../outside/release-store.ts";
import { findInterrupted } from "../../outside/stack-lock.ts";
import { text } from "../../core/messages/catalogue.ts";
import { readToolchain } from "../../toolchain/record.ts";
import type { Console } from "../console.ts";
import { table } from "../table.ts";

interface Tool {
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

/** Ends with status 1 when a tool is missing. */
export async function doctor(console: Console, options: { json?: boolean }): Promise<void> {
  const t = (key: Parameters<typeof text>[0], values = {}) => text(key, console.language, values);
  const tools = [...(await toolchain()), ...(await Promise.all(programs.map(program)))];
  const missing = tools.filter((tool) => tool.version === "");
  if (missing.length > 0) console.fail();
  if (options.json) return console.json(tools);
  console.print(
    table(
      [t("doctor.tool"), t("doctor.version"), t("doctor.origin"), t("doctor.fix")],
      tools.map((tool) => [
        tool.name,
        tool.version || t("doctor.missing"),
        tool.version ? t(`origin.${tool.origin}`) : "-",
        tool.version ? "" : tool.fix,
      ]),
    ),
  );
  const releases = await releaseStore(home().state).list();
  console.print(t("doctor.releases", { releases: releases.join(", ") || t("doctor.none") }));
  for (const { stack, holder, pending } of await findInterrupted()) {
    if (holder !== undefined) console.print(t("doctor.locked", { stack, holder }));
    if (pending.length > 0) console.print(t("doctor.pending", { stack, pending: pending.join(", ") }));
  }
  if (tools.some((tool) => tool.origin === "substitute")) console.print(t("doctor.substitutes"));
  console.print(missing.length === 0 ? t("doctor.ok") : t("doctor.bad", { count: missing.length }));
}

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
