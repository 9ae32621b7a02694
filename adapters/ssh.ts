/** @module OpenSSH as the way to a server: pinned host key, keys from the agent only, one shared connection. */
import type { ChildProcessByStdio } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
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
import { writeFileAtomically } from "./atomic-file.ts";
import { home } from "./home.ts";

export interface RunOptions {
  /** Text or bytes for the command's standard input. */
  readonly input?: string | Uint8Array;
  /** Called with each line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
  /** @default 120 */
  readonly timeoutSeconds?: number;
  /** Exit statuses that are answers, not failures. @default [0] */
  readonly statuses?: readonly number[];
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
}

type Forwarding = Pick<ChildProcessByStdio<null, Readable, Readable>, "stderr" | "on">;

/** A server that can be reached by SSH. */
export interface Ssh {
  readonly target: SshTarget;
  /** Path of an `ssh_config` in which the client's name is the host. */
  readonly config: string;
  /** @throws FleetError of the connection, of the server's command, or `SSH_TIMEOUT` */
  run(step: string, command: Command, options?: RunOptions): Promise<RunResult>;
  /** Forwards a loopback port of the server to one of this machine until closed. */
  forward(step: string, localPort: number): Promise<Forward>;
}

export interface Forward {
  /** Port on the server's loopback address. */
  readonly remotePort: number;
  close(): Promise<void>;
}

/**
 * Prepares the connection's files; nothing is contacted yet.
 * @throws FleetError `AGENT_MISSING` when there is no agent
 */
export async function openSsh(target: SshTarget, env: NodeJS.ProcessEnv = process.env): Promise<Ssh> {
  if (!env.SSH_AUTH_SOCK) throw new FleetError("AGENT_MISSING", {}, { client: target.client });
  const { runtime } = home(env);
  const text = JSON.stringify([target, env.SSH_AUTH_SOCK]);
  const key = createHash("sha256").update(text).digest("hex").slice(0, 10);
  const folder = join(runtime, key);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(runtime, 0o700);
  const knownHosts = join(folder, "known_hosts");
  const config = join(folder, "config");
  await writeFileAtomically(knownHosts, renderKnownHosts(target), 0o600);
  await writeFileAtomically(
    config,
    renderSshConfig(target, { knownHosts, control: join(folder, "%C") }),
    0o600,
  );

  return { target, config, run, forward };

  async function run(step: string, command: Command, options: RunOptions = {}): Promise<RunResult> {
    const timeoutSeconds = options.timeoutSeconds ?? 120;
    const child = execa("ssh", ["-F", config, "-T", target.client, "--", toShell(command)], {
      env,
      extendEnv: false,
      ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
      reject: false,
      timeout: timeoutSeconds * 1000,
      maxBuffer: 64 * 1024 * 1024,
      stripFinalNewline: false,
    });
    const { onLine } = options;
    if (onLine && child.stdout) createInterface({ input: child.stdout }).on("line", onLine);
    const result = await child;
    const stdout = String(result.stdout);
    if (result.timedOut)
      throw new FleetError(
        "SSH_TIMEOUT",
        {
          host: target.host,
          seconds: timeoutSeconds,
          cause: lastLine(String(result.stderr)) || lastLine(stdout),
        },
        { client: target.client, step },
      );
    const status = result.exitCode ?? 255;
    if ((options.statuses ?? [0]).includes(status)) return { status, stdout };
    throw sshFailure(target, step, { status, stderr: String(result.stderr) || result.shortMessage || "" });
  }

  async function forward(step: string, localPort: number): Promise<Forward> {
    // A process of its own: a pull that ends must not take the shared connection along.
    const child = execa(
      "ssh",
      [
        "-F",
        config,
        "-o",
        "ControlPath=none",
        "-o",
        "ExitOnForwardFailure=yes",
        "-o",
        "LogLevel=INFO",
        "-N",
        "-R",
        `127.0.0.1:0:127.0.0.1:${localPort}`,
        target.client,
      ],
      { env, extendEnv: false, stdin: "ignore", reject: false },
    );
    const remotePort = await allocatedPort(child, step);
    return {
      remotePort,
      async close() {
        child.kill("SIGTERM");
        await child;
      },
    };
  }

  function allocatedPort(child: Forwarding, step: string): Promise<number> {
    return new Promise((resolve, reject) => {
      let stderr = "";
      child.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString();
        const port = /Allocated port (\d+) for remote forward/.exec(stderr)?.[1];
        if (port) resolve(Number(port));
      });
      child.on("exit", (status) => reject(sshFailure(target, step, { status: status ?? 255, stderr })));
    });
  }
}
