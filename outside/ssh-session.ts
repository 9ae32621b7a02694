/** @module A session by SSH that people see: the terminal's own, or output that goes on until they end it. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { type Command, toShell } from "../core/commands/shell.ts";
import { type SshTarget, sshFailure } from "../core/commands/ssh.ts";
import { prepareSsh } from "./ssh.ts";

/**
 * The terminal becomes the server's; without a command, its shell.
 * @returns the remote exit status; 255 is also OpenSSH's own, which says why itself
 * @throws FleetError `AGENT_MISSING`; Error when there is no `ssh`
 */
export async function openSession(
  target: SshTarget,
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const config = await prepareSsh(target, env);
  const [program, ...words] = command;
  const remote = program === undefined ? [] : ["--", toShell([program, ...words])];
  const child = spawn("ssh", [...own(config), target.client, ...remote], { env, stdio: "inherit" });
  // What the terminal sends is meant for the server's side.
  const ignore = () => {};
  for (const signal of ["SIGINT", "SIGQUIT"] as const) process.on(signal, ignore);
  const end = () => child.kill("SIGTERM");
  process.on("SIGTERM", end);
  try {
    return await status(child);
  } finally {
    for (const signal of ["SIGINT", "SIGQUIT"] as const) process.off(signal, ignore);
    process.off("SIGTERM", end);
  }
}

/**
 * Hands over what a command writes, line by line, until it ends or SIGINT or SIGTERM comes. Its standard input stays open meanwhile, so
 * that a command that ends with its input ends with us, however we end.
 * @throws FleetError of the connection or of the command
 */
export async function followCommand(
  target: SshTarget,
  step: string,
  command: Command,
  onLine: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const config = await prepareSsh(target, env);
  const child = spawn("ssh", [...own(config), "-T", target.client, "--", toShell(command)], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  createInterface({ input: child.stdout }).on("line", onLine);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = `${stderr}${chunk}`.slice(-4000);
  });
  let isEnded = false;
  const end = () => {
    isEnded = true;
    child.kill("SIGTERM");
  };
  process.on("SIGINT", end).on("SIGTERM", end);
  try {
    const ended = await status(child);
    if (ended !== 0 && !isEnded) throw sshFailure(target, step, { status: ended, stderr });
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
  }
}

/** A connection of its own: nothing of it stays when it ends. */
function own(config: string): string[] {
  return ["-F", config, "-o", "ControlMaster=no", "-o", "ControlPath=none"];
}

function status(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
