/** @module OpenSSH as the way to a server: pinned host key, keys from the agent only, one shared connection. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { execa } from "execa";
import { type Command, toShell } from "../core/commands/shell.ts";
import {
  lastLine,
  renderKnownHosts,
  renderSshConfig,
  type SshTarget,
  sshFailure,
} from "../core/commands/ssh.ts";
import { FleetError } from "../core/errors.ts";
import {
  checkConnectionSeconds,
  commandSeconds,
  forwardSeconds,
  freshConnectionSeconds,
} from "../core/limits.ts";
import type { Forward, RunOptions, RunResult, Ssh } from "../core/ports.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { pace } from "./pace.ts";
import { sendRelease } from "./rsync.ts";
import { ensureRuntimeFolder } from "./runtime-folder.ts";

/** Hundreds of handshakes at once would starve each other of this machine's processor. */
const startTurn = pace({ perSecond: 20, burst: 10 });
/** When a connection was last used, by its configuration, milliseconds since 1970. */
const lastUse = new Map<string, number>();

/**
 * Writes the files of a connection; nothing is contacted yet.
 * @returns path of the `ssh_config`
 * @throws FleetError `AGENT_MISSING` when there is no agent, `RUNTIME_UNSAFE`
 */
export async function prepareSsh(target: SshTarget, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  if (!env.SSH_AUTH_SOCK) throw new FleetError("AGENT_MISSING", {}, { client: target.client });
  const runtime = await ensureRuntimeFolder(env);
  const text = JSON.stringify([target, env.SSH_AUTH_SOCK]);
  const key = createHash("sha256").update(text).digest("hex").slice(0, 10);
  const folder = join(runtime, key);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const knownHosts = join(folder, "known_hosts");
  const config = join(folder, "config");
  await writeFileAtomically(knownHosts, renderKnownHosts(target), 0o600);
  await writeFileAtomically(
    config,
    renderSshConfig(target, { knownHosts, control: join(folder, "c") }),
    0o600,
  );
  return config;
}

/** @throws FleetError `AGENT_MISSING` when there is no agent; nothing is contacted yet */
export async function openSsh(target: SshTarget, env: NodeJS.ProcessEnv = process.env): Promise<Ssh> {
  const config = await prepareSsh(target, env);
  return {
    target,
    run,
    forward,
    sendRelease: (step, release) => sendRelease(target, config, step, release, isConnected, env),
  };

  /** Whether the shared connection answers. */
  async function isConnected(): Promise<boolean> {
    const words = ["-F", config, "-O", "check", target.client];
    const check = await execa("ssh", words, {
      env,
      extendEnv: false,
      reject: false,
      timeout: checkConnectionSeconds * 1000,
    });
    return check.exitCode === 0;
  }

  async function run(step: string, command: Command, options: RunOptions = {}): Promise<RunResult> {
    const timeoutSeconds = options.timeoutSeconds ?? commandSeconds;
    const isFresh = Date.now() - (lastUse.get(config) ?? 0) < freshConnectionSeconds * 1000;
    lastUse.set(config, Date.now());
    if (!isFresh) await startTurn();
    const child = execa("ssh", ["-F", config, "-T", target.client, "--", toShell(command)], {
      env,
      extendEnv: false,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      reject: false,
      maxBuffer: 64 * 1024 * 1024,
      stripFinalNewline: false,
    });
    const { onLine } = options;
    if (onLine && child.stdout) createInterface({ input: child.stdout }).on("line", onLine);
    let shown = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      shown = chunk.toString();
    });
    // The shared connection keeps the streams of a command that goes on over there: after the time nobody waits for them.
    const expiry = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => expiry.resolve(undefined), timeoutSeconds * 1000);
    const result = await Promise.race([child, expiry.promise]);
    clearTimeout(timer);
    if (result === undefined) {
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.stderr?.destroy();
      if (!(await isConnected()))
        throw new FleetError(
          "SSH_UNREACHABLE",
          { host: target.host, port: target.port, cause: `no answer within ${timeoutSeconds} s` },
          { client: target.client, step },
        );
      throw new FleetError(
        "SSH_TIMEOUT",
        { host: target.host, seconds: timeoutSeconds, cause: lastLine(shown) || "it showed nothing" },
        { client: target.client, step },
      );
    }
    if (result.code === "ENOENT")
      throw new FleetError(
        "TOOL_MISSING",
        { tool: "ssh", fix: "phrase.install", package: "openssh-client" },
        { client: target.client, step },
      );
    const stdout = String(result.stdout);
    const status = result.exitCode ?? 255;
    if ((options.statuses ?? [0]).includes(status)) return { status, stdout };
    throw sshFailure(target, step, {
      status,
      // Only an ssh that could not run has words of this machine's own.
      stderr: String(result.stderr) || (result.exitCode === undefined ? (result.shortMessage ?? "") : ""),
      isConnected: status === 255 && (await isConnected()),
    });
  }

  async function forward(step: string, localPort: number): Promise<Forward> {
    // A process of its own: a pull that ends must not take the shared connection along.
    const options = ["ControlPath=none", "ExitOnForwardFailure=yes", "LogLevel=INFO"].flatMap((o) => [
      "-o",
      o,
    ]);
    const route = `127.0.0.1:0:127.0.0.1:${localPort}`;
    const child = spawn("ssh", ["-F", config, ...options, "-N", "-R", route, target.client], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const close = async () => {
      child.kill("SIGTERM");
      await ended;
    };
    try {
      return { remotePort: await allocatedPort(child, step), close };
    } catch (error) {
      await close();
      throw error;
    }
  }

  function allocatedPort(child: ChildProcessByStdio<null, null, Readable>, step: string): Promise<number> {
    return new Promise((resolve, reject) => {
      let stderr = "";
      const limit = setTimeout(
        () => fail(255, `no port was allocated within ${forwardSeconds} s`),
        forwardSeconds * 1000,
      );
      child.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString();
        const port = /Allocated port (\d+) for remote forward/.exec(stderr)?.[1];
        if (!port) return;
        clearTimeout(limit);
        resolve(Number(port));
      });
      // Too many open files, or no ssh at all.
      child.once("error", ({ message }) => fail(255, message));
      child.once("close", (status) => fail(status ?? 255, stderr));

      function fail(status: number, said: string): void {
        clearTimeout(limit);
        reject(sshFailure(target, step, { status, stderr: said }));
      }
    });
  }
}
