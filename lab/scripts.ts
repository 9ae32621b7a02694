/** @module Programs and scripts run as root on a server of the lab, which must succeed. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "./errors.ts";
import { ASSETS } from "./layout.ts";
import { execInServer } from "./server.ts";

/** Standard output of `argv`. @throws LabError with what it said */
export async function inServer(server: string, argv: readonly string[], stdin = ""): Promise<string> {
  const { exitCode, stdout, stderr } = await execInServer(server, argv, { stdin });
  if (exitCode === 0) return stdout;
  throw new LabError(
    `${argv.slice(0, 3).join(" ")} failed on ${server}: ${(stderr || stdout).trim().slice(-800)}`,
    "Look at the server with `npm run -s lab -- shell`.",
  );
}

/** Runs a shell script of `assets/`. @throws LabError with what it said */
export async function runScript(server: string, path: string, args: readonly string[] = []): Promise<string> {
  const text = await readFile(join(ASSETS, path), "utf8");
  // From a file: programs that it calls would read the rest of the script.
  const run = 'cat > /tmp/lab-script && exec sh /tmp/lab-script "$@" < /dev/null';
  return inServer(server, ["sh", "-c", run, "sh", ...args], text);
}
