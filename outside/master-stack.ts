/** @module The master stack: which generations of the fleet's key its file declares, and which its state holds. */
import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { FleetError } from "../core/errors.ts";
import type { HeldKey } from "../core/keys/rotation.ts";
import { parseAnyStack } from "../core/registry/editor.ts";
import { setIn } from "../core/registry/stack-text.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { withFileLock } from "./file-lock.ts";
import { historyOf } from "./git.ts";
import { projectFolder } from "./home.ts";
import { converge, keyResources, keySecrets, readOutputs, unprotect } from "./pulumi.ts";

const prefix = "geoclic-fleet:";
const Held = z.array(z.object({ generation: z.int(), publicKey: z.string() }));

/** Keys of a stack's outputs, oldest first; a stack that never rotated tells one key without a generation. */
export async function heldKeys(stack: string): Promise<HeldKey[]> {
  const outputs = await readOutputs(stack);
  const parsed = Held.safeParse(outputs.keys);
  if (parsed.success) return parsed.data;
  if (typeof outputs.publicKey === "string") return [{ generation: 1, publicKey: outputs.publicKey }];
  throw new FleetError("OUTPUT_MISSING", { stack, output: "publicKey" });
}

/**
 * Private keys of a master stack's state, in OpenSSH's format, oldest first: for an agent's standard input and nowhere else.
 * @throws FleetError `FLEET_KEY_MISSING`, `STACK_MISSING`
 */
export async function privateKeys(stack: string): Promise<string[]> {
  const keys = await keySecrets(stack);
  if (keys.length === 0) throw new FleetError("FLEET_KEY_MISSING", { stack });
  return keys;
}

/** @throws FleetError `STACK_FILE_MISSING`, `MASTER_FILE`, of git and of the engine, as its functions are called */
export function masterStack(
  stack: string,
  { commit, onProgress }: { readonly commit: boolean; readonly onProgress: (line: string) => void },
) {
  const project = projectFolder();
  const name = stack.split("/").at(-1) ?? "";
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name))
    throw new FleetError("STACK_NAME_INVALID", { stack: name });
  let isUpstreamAsked = false;
  return { declared, declare, held: () => heldKeys(stack), converge: convergeMaster };

  async function path(): Promise<string> {
    const named = join(project, `Pulumi.${name}.yaml`);
    const found = await realpath(named).catch(() => named);
    if ((await stat(found).catch(() => undefined))?.isFile()) return found;
    throw new FleetError("STACK_FILE_MISSING", { file: named, stack: name });
  }

  async function declared(): Promise<readonly number[]> {
    const file = await path();
    const config = parseAnyStack(await readFile(file, "utf8"), file);
    if (config.role !== "master") throw new FleetError("MASTER_FILE", { file, role: config.role });
    return config.keys;
  }

  async function declare(generations: readonly number[]): Promise<void> {
    const file = await path();
    await withFileLock(file, async (held) => {
      const history = commit ? await historyOf(file) : undefined;
      await history?.endCutCommit();
      const former = await readFile(file, "utf8");
      const text = setIn(former, file, ["config", `${prefix}keys`], [...generations]);
      if (text === former) return;
      await history?.refuseDirty();
      // A rotation that is begun goes on whatever others push.
      if (!isUpstreamAsked) await history?.refuseBehind();
      isUpstreamAsked = true;
      const { mode } = await stat(file);
      const message = `The fleet's key: ${generations.join(" and ")}`;
      await held();
      await history?.announce(text, message);
      await writeFileAtomically(file, text, mode & 0o777);
      await history?.commit(message);
    });
  }

  async function convergeMaster(dropped: readonly HeldKey[]): Promise<void> {
    if (dropped.length > 0) {
      const generations = new Set(dropped.map(({ generation }) => generation));
      const resources = await keyResources(stack);
      const urns = resources.flatMap(({ urn, generation, isProtected }) =>
        isProtected && generations.has(generation) ? [urn] : [],
      );
      await unprotect(stack, urns);
    }
    await converge({ stack, project, onProgress });
  }
}
