/**
 * @module Edits of a stack file's text: the lines that an edit is about change, every other byte stays. What was made is
 * read again and compared with what was meant.
 */

import type { Node, Pair, ParsedNode, YAMLMap, YAMLSeq } from "yaml";
import { Document, isCollection, isMap, isPair, isScalar, isSeq, parseDocument, stringify } from "yaml";
import { FleetError } from "../errors.ts";

export type Path = readonly (string | number)[];

/** A stack file's text as values. @throws FleetError `STACK_FILE_UNREADABLE` */
export function readStackText(text: string, file: string): Record<string, unknown> {
  return { ...(read(text, file).toJS() as Record<string, unknown> | null) };
}

/** Sets a value; what is missing on the way there is made. */
export function setIn(text: string, file: string, path: Path, value: unknown): string {
  return change(text, file, {
    expected: (content) => changed(content, path, () => value),
    splice: (document) => spliceSet(text, document, path, value),
    rewrite: (document) => document.setIn(path, document.createNode(value)),
  });
}

/** Adds an entry at the end of a list, which is made where it is missing. */
export function append(text: string, file: string, path: Path, entry: unknown): string {
  const list = read(text, file).getIn(path, true);
  if (!isSeq(list) || list.items.length === 0) return setIn(text, file, path, [entry]);
  return change(text, file, {
    expected: (content) => changed(content, path, (former) => [...(former as unknown[]), entry]),
    splice: (document) => spliceAppend(text, document, path, entry),
    rewrite: (document) => document.addIn(path, document.createNode(entry)),
  });
}

/** Deletes a key or an entry of a list; nothing to do where it is missing. */
export function deleteIn(text: string, file: string, path: Path): string {
  const document = read(text, file);
  const parent = document.getIn(path.slice(0, -1), true);
  if (!document.hasIn(path) || !isCollection(parent)) return text;
  if (parent.items.length === 1) return setIn(text, file, path.slice(0, -1), isSeq(parent) ? [] : {});
  return change(text, file, {
    expected: (content) => changed(content, path, () => undefined),
    splice: (parsed) => spliceDelete(text, parsed, path),
    rewrite: (parsed) => parsed.deleteIn(path),
  });
}

interface Change {
  expected(content: unknown): unknown;
  splice(document: Document.Parsed): string | undefined;
  rewrite(document: Document.Parsed): void;
}

function change(text: string, file: string, { expected, splice, rewrite }: Change): string {
  const meant = JSON.stringify(expected(read(text, file).toJS()));
  const holds = (made: string) => JSON.stringify(parseDocument(made).toJS()) === meant;
  const spliced = splice(read(text, file));
  if (spliced !== undefined && parseDocument(spliced).errors.length === 0 && holds(spliced)) return spliced;
  // An unusual layout: the file is laid out anew, its comments and quotes kept.
  const document = read(text, file);
  rewrite(document);
  const rewritten = document.toString({ lineWidth: 0 });
  if (holds(rewritten)) return rewritten;
  throw new FleetError("STACK_FILE_UNREADABLE", {
    file,
    cause: "it uses anchors or tags that cannot be edited",
  });
}

function read(text: string, file: string): Document.Parsed {
  const document = parseDocument(text);
  const cause = document.errors[0]?.message.split("\n", 1)[0];
  if (cause !== undefined) throw new FleetError("STACK_FILE_UNREADABLE", { file, cause });
  if (document.contents !== null && !isMap(document.contents))
    throw new FleetError("STACK_FILE_UNREADABLE", { file, cause: "it is no map of keys and values" });
  return document;
}

/** A copy of plain content with one place changed; `undefined` deletes it. */
function changed(content: unknown, path: Path, make: (former: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return make(content);
  if (Array.isArray(content)) {
    const value = changed(content[Number(key)], rest, make);
    return content.toSpliced(Number(key), 1, ...(value === undefined ? [] : [value]));
  }
  const map = { ...(content as Record<string, unknown> | null) };
  const value = changed(map[key], rest, make);
  if (value === undefined) delete map[key];
  else map[key] = value;
  return map;
}

function spliceSet(text: string, document: Document.Parsed, path: Path, value: unknown): string | undefined {
  const flow = outermostFlow(document, path.slice(0, -1));
  if (flow) return spliceFlow(text, flow, () => document.setIn(path, document.createNode(value)));
  const key = path.at(-1);
  const parent = document.getIn(path.slice(0, -1), true);
  if (document.contents === null || (path.length > 1 && !isCollection(parent))) {
    if (path.length === 1)
      return `${text}${lineBreakBefore(text)}${block({ [String(key)]: value }, 0, text)}`;
    return spliceSet(text, document, path.slice(0, -1), { [String(key)]: value });
  }
  const map = path.length === 1 ? document.contents : parent;
  if (!isMap(map) || typeof key !== "string") return undefined;
  const pair = pairOf(map as YAMLMap, key);
  const column = columnOf(text, map as YAMLMap);
  if (!pair) {
    const at = endOfEntry(text, valueEnd(map as Node), column);
    const before = at > 0 && text[at - 1] !== "\n" ? newLine(text) : "";
    return `${text.slice(0, at)}${before}${block({ [key]: value }, column, text)}${text.slice(at)}`;
  }
  const node = pair.value as ParsedNode | null;
  const start = (pair.key as ParsedNode).range[0];
  if (node && isScalar(node) && !isObject(value) && node.range[1] > node.range[0]) {
    const written = scalarText(value, node.type);
    return `${text.slice(0, node.range[0])}${written}${text.slice(node.range[1])}`;
  }
  const end =
    node && node.range[1] > node.range[0]
      ? valueEnd(node)
      : text.indexOf(":", (pair.key as ParsedNode).range[1]) + 1;
  const written = block({ [key]: value }, column, text).trim();
  return `${text.slice(0, start)}${written}${text.slice(end)}`;
}

function spliceAppend(
  text: string,
  document: Document.Parsed,
  path: Path,
  entry: unknown,
): string | undefined {
  const flow = outermostFlow(document, path);
  if (flow) return spliceFlow(text, flow, () => document.addIn(path, document.createNode(entry)));
  const list = document.getIn(path, true) as YAMLSeq;
  const column = columnOf(text, list);
  const at = endOfEntry(text, valueEnd(list as Node), column);
  const before = text[at - 1] === "\n" ? "" : newLine(text);
  return `${text.slice(0, at)}${before}${block([entry], column, text)}${text.slice(at)}`;
}

function spliceDelete(text: string, document: Document.Parsed, path: Path): string | undefined {
  const flow = outermostFlow(document, path.slice(0, -1));
  if (flow) return spliceFlow(text, flow, () => document.deleteIn(path));
  const parent = document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isSeq(parent)) {
    const item = parent.items[Number(key)] as ParsedNode;
    const start = startOfLine(text, item.range[0]);
    if (text.slice(start, item.range[0]).trim() !== "-") return undefined;
    return text.slice(0, start) + text.slice(endOfEntry(text, valueEnd(item), columnOf(text, parent)));
  }
  if (!isMap(parent)) return undefined;
  const index = parent.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === key);
  const pair = parent.items[index] as Pair<ParsedNode, ParsedNode | null>;
  const start = startOfLine(text, pair.key.range[0]);
  if (text.slice(start, pair.key.range[0]).trim() === "")
    return text.slice(0, start) + text.slice(endOfLine(text, valueEnd(pair)));
  // Behind the dash of an entry: the next key takes its place.
  const next = parent.items[index + 1]?.key as ParsedNode | undefined;
  return next && text.slice(0, pair.key.range[0]) + text.slice(next.range[0]);
}

/** Prints a collection in braces or brackets again; the text around it stays. */
function spliceFlow(text: string, flow: ParsedNode, edit: () => void): string {
  const [start, end] = flow.range;
  const isTight = /^[[{]\S/.test(text.slice(start, end));
  edit();
  const alone = new Document(null, { version: "1.1" });
  alone.contents = flow as never;
  flow.comment = null;
  flow.commentBefore = null;
  const written = alone.toString({ lineWidth: 0, flowCollectionPadding: !isTight, directives: false }).trim();
  return `${text.slice(0, start)}${written}${text.slice(end)}`;
}

function outermostFlow(document: Document.Parsed, path: Path): ParsedNode | undefined {
  for (let length = 0; length <= path.length; length += 1) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isCollection(node) && node.flow && node.items.length > 0) return node as ParsedNode;
  }
  return undefined;
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

/** Offset behind the last character of what a node says, without the comments that follow. */
function valueEnd(node: Node | Pair): number {
  if (isPair(node)) return valueEnd(((node.value as Node | null) ?? node.key) as Node);
  const last = isCollection(node) && !node.flow ? node.items.at(-1) : undefined;
  if (last !== undefined) return valueEnd(last as Node | Pair);
  return node.range?.[1] ?? 0;
}

/** Column at which a block's dashes or keys stand. */
function columnOf(text: string, collection: YAMLMap | YAMLSeq): number {
  const first = collection.items[0];
  const start = isPair(first) ? (first.key as ParsedNode).range[0] : (collection.range?.[0] ?? 0);
  return start - startOfLine(text, start);
}

function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

function endOfLine(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === "\n") return offset;
  const end = text.indexOf("\n", offset);
  return end < 0 ? text.length : end + 1;
}

/** Behind the comments that are indented deeper than an entry's dash: they are the entry's own. */
function endOfEntry(text: string, offset: number, column: number): number {
  let end = endOfLine(text, offset);
  for (let at = end; at < text.length; at = endOfLine(text, at + 1)) {
    const [, indent = "", mark = ""] = /^([ \t]*)([^\r\n]?)/.exec(text.slice(at)) ?? [];
    if (mark !== "" && (mark !== "#" || indent.length <= column)) break;
    if (mark === "#") end = endOfLine(text, at + 1);
  }
  return end;
}

/** A value in block style whose lines begin at a column. YAML 1.1 quotes what some reader takes for a date or a yes. */
function block(value: unknown, column: number, text: string): string {
  const written = stringify(value, { version: "1.1", lineWidth: 0, directives: false } as never);
  const indent = " ".repeat(column);
  return written.replace(/^(?=.)/gm, indent).replaceAll("\n", newLine(text));
}

function scalarText(value: unknown, type: string | undefined): string {
  const options = { version: "1.1" as const, lineWidth: 0 };
  if (typeof value === "string" && type === "QUOTE_DOUBLE") return JSON.stringify(value);
  if (typeof value === "string" && type === "QUOTE_SINGLE") return `'${value.replaceAll("'", "''")}'`;
  return stringify(value, options).trim();
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

function newLine(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function lineBreakBefore(text: string): string {
  return text === "" || text.endsWith("\n") ? "" : newLine(text);
}
