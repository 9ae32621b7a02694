/** @module A stack file in memory, with the real editor. */
import { FleetError } from "../../core/errors.ts";
import { editStackText, parseStackText } from "../../core/registry/editor.ts";
import type { StackFile } from "../../core/registry/port.ts";

export interface MemoryStack extends StackFile {
  text(): string;
  /** Messages of the commits made. */
  readonly commits: string[];
  /** From now on an edit is refused, as git does. */
  refuse(): void;
  /** The next `count` edits after `after` others fail, as where a hook refuses the commit. */
  fail(error: FleetError, after: number, count: number): void;
}

/** A fleet whose clients are given as YAML below `clients:`. */
export function memoryStack(text: string): MemoryStack {
  let now = text;
  let isRefused = false;
  let failure: { error: FleetError; after: number; count: number } | undefined;
  const commits: string[] = [];
  const checkEditable = async () => {
    if (isRefused) throw new FleetError("STACK_FILE_DIRTY", { file: path });
  };
  const path = "/fleet/Pulumi.prod.yaml";
  const file: MemoryStack = {
    stack: "prod",
    path,
    commits,
    text: () => now,
    refuse: () => {
      isRefused = true;
    },
    fail: (error, after, count) => {
      failure = { error, after, count };
    },
    standing: async () => undefined,
    read: async () => parseStackText(now, path),
    checkEditable,
    tryOut: async (edit) => editStackText(now, path, edit).config,
    edit: async (edit, message = "") => {
      const made = editStackText(now, path, edit);
      await checkEditable();
      if (failure && failure.after > 0) failure.after -= 1;
      else if (failure && failure.count > 0) {
        failure.count -= 1;
        throw failure.error;
      }
      if (made.text !== now) commits.push(message);
      now = made.text;
      return made.config;
    },
    editClients: async (edit, message) => void (await file.edit(({ clients }) => edit(clients), message)),
  };
  return file;
}
