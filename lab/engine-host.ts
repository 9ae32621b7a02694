/** @module Which Docker Engine the running lab uses. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RUN } from "./layout.ts";

const FILE = join(RUN, "engine-host");

/** DOCKER_HOST of the running lab, undefined when there is none. */
export function readEngineHost(): string | undefined {
  try {
    return readFileSync(FILE, "utf8").trim();
  } catch {
    return undefined;
  }
}

export async function writeEngineHost(host: string): Promise<void> {
  await writeFile(FILE, `${host}\n`);
}
