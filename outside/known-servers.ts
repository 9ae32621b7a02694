/** @module Which files of the operator's name a server: read as text, so that one with an error in it counts too. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

export interface KnownServersPlaces {
  /** Folder of the stack files. */
  readonly project: string;
  /** The operator's folder. */
  readonly state: string;
  /** Client whose own order is meant. */
  readonly client: string;
}

/**
 * `addresses` count in stack files only: an address may be given to another VPS after a town's end.
 * @returns the file that names it, for messages
 */
export async function whoKnows(
  { project, state, client }: KnownServersPlaces,
  serviceName: string,
  addresses: readonly string[],
): Promise<string | undefined> {
  const stacks = (await names(project)).filter((name) => /^Pulumi\..+\.ya?ml$/.test(name));
  const orders = (await names(join(state, "orders"))).filter((name) => name !== `${client}.jsonl`);
  const retired = await names(join(state, "retired"));
  const searched: readonly (readonly [file: string, words: readonly string[]])[] = [
    ...stacks.map((name) => [join(project, name), [serviceName, ...addresses]] as const),
    ...orders
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => [join(state, "orders", name), [serviceName]] as const),
    ...retired.map((name) => [join(state, "retired", name, "journal.jsonl"), [serviceName]] as const),
  ];
  for (const [file, words] of searched) {
    const text = await readFile(file, "utf8").catch(absent);
    if (words.some((word) => holds(text, word))) return file.startsWith(state) ? relative(state, file) : file;
  }
  return undefined;
}

/** As a whole word: 10.0.0.1 is not in 10.0.0.12. */
function holds(text: string, word: string): boolean {
  const literal = word.replaceAll(/[.\\+*?^${}()|[\]]/g, "\\$&");
  const more = word.includes(":") ? ":" : "";
  return new RegExp(`(?<![\\w.${more}-])${literal}(?![\\w${more}-]|\\.\\w)`).test(text);
}

async function names(folder: string): Promise<string[]> {
  return (
    await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    })
  ).sort();
}

function absent(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
  throw error;
}
