/** @module Configuration files of the lab's services, copied to where the engine sees them. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ASSETS, LAB } from "./layout.ts";

export interface Configuration {
  /** Path on the machine and in the engine's tree. */
  readonly path: string;
  readonly text: string;
}

/** Copies `assets/services/NAME` to the lab's folder. */
export async function installConfiguration(name: string): Promise<Configuration> {
  const folder = join(LAB, "configuration");
  const text = await readFile(join(ASSETS, "services", name), "utf8");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
  return { path: join(folder, name), text };
}
