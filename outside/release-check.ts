/**
 * @module Tries a release on this machine before any town gets it: a scratch project of its own, an empty database with
 * init file and migrations, every container healthy, the health rule and every route answered through the ingress.
 */
import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { execa } from "execa";
import { z } from "zod";
import { lastLine } from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import { type HttpAnswer, unhealthy } from "../core/health.ts";
import { serverPaths } from "../core/naming.ts";
import type { Images, ReleaseStore } from "../core/ports.ts";
import type { Release } from "../core/release/release.ts";
import { plainEnvironment } from "../core/render/environment.ts";
import { renderScratch, type ScratchMount } from "../core/render/scratch.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { withFileLock } from "./file-lock.ts";

export interface ReleaseCheckOptions {
  /** The operator's state: releases that passed are remembered there. */
  readonly state: string;
  readonly releases: Pick<ReleaseStore, "path">;
  readonly images: Images;
  readonly onLine: (line: string) => void;
  readonly signal?: AbortSignal;
}

const name = "controle.geoclic.invalid";
const healthySeconds = 180;
const serverScripts = resolve(import.meta.dirname, "../assets/server");

/**
 * @returns whether it was tried now; a release that passed before is not tried again
 * @throws FleetError `RELEASE_CHECK_FAILED`, `TOOL_MISSING`, `CANCELLED`, of the build
 */
export async function checkRelease(release: Release, options: ReleaseCheckOptions): Promise<boolean> {
  const passed = join(options.state, "checks", release.id);
  return withFileLock(join(options.state, "checks", "lock"), async () => {
    if (await readFile(passed).catch(() => undefined)) return false;
    const folder = await mkdtemp(join(tmpdir(), "geoclic-check-"));
    try {
      await check(release, folder, options);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    await writeFileAtomically(passed, `${new Date().toISOString()}\n`);
    return true;
  });
}

async function check(
  release: Release,
  folder: string,
  { releases, images, onLine, signal }: ReleaseCheckOptions,
): Promise<void> {
  const { adapter } = release;
  const project = `geoclic-check-${release.id}`;
  const kept = releases.path(release.id);
  const { text, mounts } = renderScratch(
    await readFile(join(kept, "compose.yml"), "utf8"),
    project,
    adapter.ingress.service,
  );
  const secrets = Object.fromEntries(
    Object.entries(adapter.env.generated).map(([key, { bytes }]) => [
      key,
      randomBytes(bytes).toString("hex"),
    ]),
  );
  const environment = {
    ...plainEnvironment(adapter, { domain: name, email: `controle@${name}` }),
    ...secrets,
  };
  await writeFile(join(folder, "compose.yml"), text);
  const compose = (...words: string[]) =>
    docker(
      ["compose", "--project-name", project, "--file", join(folder, "compose.yml"), ...words],
      environment,
    );
  await must(compose("config", "--quiet"), "the compose file is not valid");
  try {
    await provideAll(release, images, onLine);
    refuseCancelled();
    const certificate = await makeCertificate(join(folder, "tls"));
    await must(compose("create", "--no-build", "--pull", "never"), "its containers cannot be made");
    for (const service of Object.keys(release.services)) {
      const own = mounts.filter((mount) => mount.service === service);
      if (own.length > 0) await fill(service, own);
    }
    const database = adapter.database.service;
    await must(compose("start", database), `${database} does not start`);
    await healthy([database]);
    await migrate(database);
    const others = Object.keys(release.services).filter((service) => service !== database);
    for (const service of others.filter((each) => each !== adapter.ingress.service))
      await must(compose("start", service), `${service} does not start`);
    await healthy(others.filter((each) => each !== adapter.ingress.service));
    await must(compose("start", adapter.ingress.service), `${adapter.ingress.service} does not start`);
    await healthy([adapter.ingress.service]);
    await answered(certificate);
  } finally {
    await compose("down", "--volumes", "--remove-orphans", "--timeout", "1");
  }

  function refuseCancelled(): void {
    if (signal?.aborted) throw new FleetError("CANCELLED", { operation: project });
  }

  function failed(cause: string): FleetError {
    return new FleetError("RELEASE_CHECK_FAILED", { release: release.id, cause });
  }

  async function must(running: Promise<Ended>, what: string): Promise<string> {
    const { exitCode, stdout, stderr } = await running;
    // A signal for this process's group ended it too.
    refuseCancelled();
    if (exitCode !== 0) throw failed(`${what}: ${stderr.trim().slice(-600) || lastLine(stdout)}`);
    return stdout;
  }

  /** Copies into a container what a server would mount there. */
  async function fill(service: string, own: readonly ScratchMount[]): Promise<void> {
    const stage = join(folder, "stage", service);
    for (const { source, target } of own) {
      const to = join(stage, target);
      await mkdir(dirname(to), { recursive: true });
      const bind = release.binds.find((each) => each.target === source);
      const served = release.static.find((each) => each.target === source);
      if (bind) {
        await cp(join(kept, "suite", bind.source), to, { recursive: true });
        for (const [file, content] of Object.entries(bind.files)) await writeFile(join(to, file), content);
      } else if (served) await cp(join(kept, "suite", served.source), to, { recursive: true });
      else if (source === serverPaths.tls) await cp(join(folder, "tls"), to, { recursive: true });
      else await mkdir(to, { recursive: true, mode: 0o777 });
    }
    const container = await containerOf(service);
    await must(docker(["cp", `${stage}/.`, `${container}:/`]), `${service} cannot be filled`);
  }

  async function containerOf(service: string): Promise<string> {
    const id = (await must(compose("ps", "--all", "--quiet", service), `${service} is not there`)).trim();
    if (id === "") throw failed(`${service} has no container`);
    return id;
  }

  async function healthy(services: readonly string[]): Promise<void> {
    const end = Date.now() + healthySeconds * 1000;
    const left = new Set(services);
    while (left.size > 0) {
      refuseCancelled();
      for (const service of [...left]) {
        const container = await containerOf(service);
        const shown = await must(docker(["inspect", "--format", "{{json .State}}", container]), service);
        const { Status: status, Health: health } = State.parse(JSON.parse(shown));
        const condition = status === "running" ? (health?.Status ?? status) : status;
        if (condition === "healthy" || condition === "running") left.delete(service);
        else if (condition !== "starting" || Date.now() > end) {
          const logs = await docker(["logs", "--tail", "12", container]);
          const said = `${logs.stdout}${logs.stderr}`.replace(/\s+/g, " ").trim().slice(-800);
          // Of a traceback the last line tells.
          const told = lastLine(health?.Log?.at(-1)?.Output ?? "").slice(0, 200);
          throw failed(
            `${service} is ${condition}${told ? ` (${told})` : ""}; its last lines: ${said || "none"}`,
          );
        }
      }
      await setTimeout(400);
    }
  }

  async function migrate(database: string): Promise<void> {
    const words = [
      "-X",
      "utf8",
      "-B",
      "-m",
      "geoclic_server.schema_check",
      kept,
      await containerOf(database),
    ];
    const ended = await execa("python3", words, {
      cwd: serverScripts,
      input: `${secrets.DB_PASSWORD ?? ""}\n`,
      reject: false,
    });
    if (ended.code === "ENOENT")
      throw new FleetError("TOOL_MISSING", { tool: "python3", fix: "phrase.install", package: "python3" });
    if (ended.exitCode !== 0) throw failed(lastLine(ended.stderr));
    onLine(`${database}: ${ended.stdout.trim()} migrations`);
  }

  async function answered(certificate: string): Promise<void> {
    const { service } = adapter.ingress;
    const shown = await must(compose("port", service, "443"), `${service} has no port`);
    const port = Number(shown.trim().split(":").at(-1));
    const end = Date.now() + 60_000;
    for (;;) {
      const answer = await get(port, adapter.health.path, certificate).catch((error: Error) => error);
      const cause = answer instanceof Error ? answer.message : unhealthy(adapter.health, answer);
      if (cause === undefined) break;
      if (Date.now() > end) throw failed(`${adapter.health.path}: ${cause}`);
      refuseCancelled();
      await setTimeout(500);
    }
    for (const route of adapter.routes) {
      const { status } = await get(port, route, certificate);
      if (status >= 500) throw failed(`${route}: HTTP ${status}`);
    }
  }
}

const State = z.object({
  Status: z.string(),
  Health: z
    .object({ Status: z.string(), Log: z.array(z.object({ Output: z.string() })).nullish() })
    .nullish(),
});

/** Every image of the release on this machine's Docker under its name; what was pruned there is built or fetched again. */
async function provideAll(release: Release, images: Images, onLine: (line: string) => void): Promise<void> {
  for (const [service, { image }] of Object.entries(release.services)) {
    const stored = await images.provide(release, service, onLine);
    if ((await docker(["image", "inspect", "--format", "ok", image])).exitCode === 0) continue;
    const repository = image.split(":")[0] ?? image;
    const endpoint = await images.expose(new Map([[repository, stored]]));
    try {
      const reference = `127.0.0.1:${endpoint.port}/${repository}@${stored.digest}`;
      for (const words of [
        ["pull", "--quiet", reference],
        ["tag", reference, image],
      ]) {
        const { exitCode, stderr } = await docker(words);
        if (exitCode !== 0)
          throw new FleetError("IMAGE_PULL_FAILED", { image, cause: stderr.trim().slice(-300) });
      }
    } finally {
      await endpoint.close();
    }
  }
}

/** `fullchain.pem` and `privkey.pem`, signed by nobody. @returns the certificate's text */
async function makeCertificate(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const words = [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" "),
    ...["-keyout", join(folder, "privkey.pem"), "-out", join(folder, "fullchain.pem")],
    ...["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`],
  ];
  const made = await execa("openssl", words, { reject: false });
  if (made.exitCode !== 0)
    throw new FleetError("TOOL_MISSING", {
      tool: "openssl",
      fix: "phrase.installAfter",
      package: "openssl",
      said: lastLine(made.stderr),
    });
  return readFile(join(folder, "fullchain.pem"), "utf8");
}

function get(port: number, path: string, ca: string): Promise<HttpAnswer> {
  return new Promise((resolveAnswer, reject) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port,
        path,
        ca,
        servername: name,
        headers: { host: name },
        agent: false,
        timeout: 8000,
      },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
        });
        response.on("end", () => resolveAnswer({ status: response.statusCode ?? 0, body }));
        response.on("error", reject);
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`no answer on ${basename(path)} within 8 s`)));
    asked.on("error", reject);
    asked.end();
  });
}

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What Docker's programs need to reach the engine. Anything else of this machine's a compose file could ask for: `${…}`. */
const engineVariables =
  /^(PATH|HOME|USER|LANG|LC_.*|TMPDIR|XDG_.*|DOCKER_.*|BUILDX_.*|BUILDKIT_.*|SSH_AUTH_SOCK)$/i;

/** The operator's own variables hold tokens and passphrases: a suite's compose file gets none of them. */
export function engineEnvironment(
  own: NodeJS.ProcessEnv,
  suite: Readonly<Record<string, string>>,
): Record<string, string> {
  const engine = Object.entries(own).flatMap(([key, value]) =>
    value !== undefined && engineVariables.test(key) ? [[key, value] as const] : [],
  );
  return { ...Object.fromEntries(engine), ...suite };
}

async function docker(words: readonly string[], environment: Record<string, string> = {}): Promise<Ended> {
  const { exitCode, stdout, stderr, shortMessage } = await execa("docker", words, {
    env: engineEnvironment(process.env, environment),
    extendEnv: false,
    reject: false,
    stdin: "ignore",
    timeout: 10 * 60_000,
  });
  return {
    exitCode: exitCode ?? 127,
    stdout: String(stdout ?? ""),
    stderr: String(stderr || shortMessage || ""),
  };
}
