/** @module The Docker client, as the operator of the lab has it. */
import { execa } from "execa";
import { labEnvironment } from "./environment.ts";
import { LabError } from "./errors.ts";

export interface DockerOptions {
  /** Text or bytes for the client's standard input. */
  readonly input?: string | Uint8Array;
  /** A file for the client's standard input, for what is too large for memory. */
  readonly inputFile?: string;
}

/**
 * Runs `docker ARGS` in the lab's engine and returns its standard output without the last newline.
 * @throws LabError with the client's own message.
 */
export async function docker(args: readonly string[], options: DockerOptions = {}): Promise<string> {
  const result = await execa("docker", args, {
    env: labEnvironment(),
    reject: false,
    maxBuffer: 64 * 1024 * 1024,
    ...(options.inputFile === undefined ? { input: options.input ?? "" } : { inputFile: options.inputFile }),
  });
  if (result.exitCode === 0) return result.stdout;
  throw new LabError(
    `docker ${args.slice(0, 2).join(" ")} failed: ${(result.stderr || result.message || "").trim()}`,
    "See `npm run -s lab -- status`; `npm run -s lab -- up` repairs what is missing.",
  );
}

/** As `docker`, but undefined instead of an error. */
export async function dockerOrNothing(args: readonly string[]): Promise<string | undefined> {
  return docker(args).catch(() => undefined);
}
