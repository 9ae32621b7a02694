/** @module The fleets that one master stack serves, from the stack files beside it. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FleetConfig } from "../core/config/stack.ts";
import { parseAnyStack } from "../core/registry/editor.ts";
import { projectFolder } from "./home.ts";
import { projectStacks } from "./pulumi.ts";

export interface FleetStacks {
  readonly folder: string;
  /** By name. */
  readonly fleets: readonly { readonly stack: string; readonly config: FleetConfig }[];
  /** Stacks with resources whose file is not here: nobody can tell whose servers they hold. */
  readonly unknown: readonly string[];
}

/** @throws FleetError `CONFIG_INVALID` of any stack's file */
export async function fleetStacks(master: string): Promise<FleetStacks> {
  const folder = projectFolder();
  const base = (stack: string) => stack.split("/").at(-1) ?? stack;
  const fleets: { stack: string; config: FleetConfig }[] = [];
  const unknown: string[] = [];
  for (const { name, resources } of await projectStacks()) {
    if (name === base(master)) continue;
    const file = join(folder, `Pulumi.${name}.yaml`);
    if (!existsSync(file)) {
      if (resources !== 0) unknown.push(name);
      continue;
    }
    const parsed = parseAnyStack(await readFile(file, "utf8"), file);
    if (parsed.role === "fleet" && base(parsed.master) === base(master))
      fleets.push({ stack: name, config: parsed });
  }
  return { folder, fleets: fleets.sort((a, b) => a.stack.localeCompare(b.stack)), unknown };
}
