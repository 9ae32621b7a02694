/** @module Compose files as text: read as Compose reads them or not at all, and written so that nobody can read them otherwise. */
import { isMap, isScalar, LineCounter, type Node, parseAllDocuments, Scalar, stringify, visit } from "yaml";
import { FleetError } from "../errors.ts";

/**
 * The values of a compose file. Compose reads YAML by Go's yaml.v3, in which `0755` is 493, `1_000` is 1000 and a bare
 * date is a time, while `yes`, `on` and `22:22` are words: what the two readers would take for different values is refused.
 * @throws FleetError `COMPOSE_AMBIGUOUS`, or `COMPOSE_VALUE_REFUSED` when the text is not one plain document
 */
export function parseCompose(text: string, file: string): unknown {
  const refused = (problems: string) => new FleetError("COMPOSE_VALUE_REFUSED", { file, problems });
  const lines = new LineCounter();
  const [document, ...others] = parseAllDocuments(text, { merge: true, lineCounter: lines });
  if (!document || !("contents" in document)) throw refused("it is empty");
  const [error] = [...document.errors, ...document.warnings];
  if (error) throw refused(error.message.split("\n")[0] ?? error.message);
  if (others.length > 0) throw refused("it holds several documents (`---`), expected one");
  if (document.directives?.yaml.explicit) throw refused("it has a %YAML directive, expected none");
  const line = (node: Node) => lines.linePos(node.range?.[0] ?? 0).line;
  visit(document, {
    Value(key, node) {
      if (node.tag !== undefined)
        throw refused(`line ${line(node)} has the tag ${node.tag}, expected a value without one`);
      if (isMap(node) && node.items.filter((pair) => isMerge(pair.key)).length > 1)
        throw refused(`line ${line(node)} has a mapping with several \`<<\`, expected one`);
      if (!isScalar(node)) return;
      const { type, source = "" } = node;
      if (type === Scalar.PLAIN && isAmbiguous(source))
        throw new FleetError("COMPOSE_AMBIGUOUS", { file, line: line(node), got: source });
      if (key === "key" && typeof node.value !== "string" && !isMerge(node))
        throw refused(`line ${line(node)} has the key ${source}, which is no text`);
    },
  });
  try {
    return document.toJS() as unknown;
  } catch (problem) {
    throw refused((problem as Error).message);
  }
}

/** Every text in quotes: a reader of another YAML takes none for a number, a date or a truth. */
export function writeCompose(value: unknown): string {
  return stringify(value, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    defaultStringType: "QUOTE_DOUBLE",
    defaultKeyType: "PLAIN",
  });
}

function isMerge(key: unknown): boolean {
  return isScalar(key) && key.type === Scalar.PLAIN && key.source === "<<";
}

/** A number as everybody writes it; more digits than these are not kept by every reader. */
const plainNumber = /^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/;
/** What yaml.v3 takes for a number once `_` is gone, see its resolve.go. */
const number = /^[-+]?(\d+|0x[0-9a-f]+|0b[01]+|0o[0-7]+|(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?|\.inf)$|^\.nan$/i;
const time = /^\d{4}-\d{1,2}-\d{1,2}([Tt\s].*)?$/;

function isAmbiguous(word: string): boolean {
  if (plainNumber.test(word)) return false;
  return time.test(word) || (/^[-+.\d]/.test(word) && number.test(word.replaceAll("_", "")));
}
