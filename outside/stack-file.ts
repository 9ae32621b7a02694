/** @module A stack's file, the registry of clients: edited under a lock, checked, written whole, committed. */
import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FleetConfig } from "../core/config/stack.ts";
import { FleetError } from "../core/errors.ts";
import {
  type ClientsEditor,
  editStackText,
  parseStackText,
  type StackEditor,
} from "../core/registry/editor.ts";
import type { StackFile } from "../core/registry/port.ts";
import { stackName } from "../core/registry/stack-name.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { withFileLock } from "./file-lock.ts";
import { historyOf } from "./git.ts";
import { projectFolder } from "./home.ts";
import { selectedStack } from "./pulumi.ts";

export type { StackFile } from "../core/registry/port.ts";

export interface StackFileOptions {
  /** Commit each edit where the file is in a git repository. @default true */
  readonly commit?: boolean;
}

/**
 * The file of a stack (none: the selected one) in Pulumi's folder: PULUMI_OPTION_CWD, or the working folder.
 * @throws FleetError `STACK_FILE_MISSING`, `STACK_NAME_INVALID`, of Pulumi
 */
export async function stackFile(
  stack?: string,
  { commit = true }: StackFileOptions = {},
): Promise<StackFile> {
  const name = stackName(stack ?? (await selectedStack()));
  const folder = projectFolder();
  const named = join(folder, `Pulumi.${name}.yaml`);
  const path = await realpath(named).catch(() => named);
  if (!(await stat(path).catch(() => undefined))?.isFile())
    throw new FleetError("STACK_FILE_MISSING", { file: named, stack: name });
  let isUpstreamAsked = false;
  return { stack: stack ?? name, path, read, checkEditable, tryOut, edit, editClients, standing };

  async function read(): Promise<FleetConfig> {
    return parseStackText(await readFile(path, "utf8"), path);
  }

  async function history() {
    return commit ? historyOf(path) : undefined;
  }

  async function checkEditable(): Promise<void> {
    const kept = await history();
    await kept?.refuseDirty();
    await kept?.refuseBehind();
    isUpstreamAsked = true;
  }

  async function standing() {
    return (await history())?.standing();
  }

  async function tryOut(edited: (editor: StackEditor) => void): Promise<FleetConfig> {
    return editStackText(await readFile(path, "utf8"), path, edited).config;
  }

  async function editClients(edited: (clients: ClientsEditor) => void, message?: string): Promise<void> {
    await edit(({ clients }) => edited(clients), message);
  }

  function edit(
    edited: (editor: StackEditor) => void,
    message = `Edit ${name}'s clients`,
  ): Promise<FleetConfig> {
    return withFileLock(path, async (held) => {
      const kept = await history();
      await kept?.endCutCommit();
      const former = await readFile(path, "utf8");
      const { text, config } = editStackText(former, path, edited);
      if (text === former) return config;
      await kept?.refuseDirty();
      // Once begun, work goes on, and back, whatever the network does and others push.
      if (!isUpstreamAsked) await kept?.refuseBehind();
      isUpstreamAsked = true;
      const { mode } = await stat(path);
      await held();
      await kept?.announce(text, message);
      await writeFileAtomically(path, text, mode & 0o777);
      await kept?.commit(message);
      return config;
    });
  }
}
