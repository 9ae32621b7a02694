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

/**
 * Sets or deletes (`undefined`) many values at once: the text is parsed once, whatever their number. No path lies within
 * another.
 */
export function setAllIn(
  text: string,
  file: string,
  edits: readonly { readonly path: Path; readonly value: unknown }[],
): string {
  const document = read(text, file);
  const isFlow = edits.some(({ path }) => outermostFlow(document, path.slice(0, -1)) !== undefined);
  const splices = isFlow ? [] : edits.map(({ path, value }) => spliceOne(text, document, path, value));
  const spliced = splices.every((splice) => splice !== undefined) && applyAll(text, splices);
  if (!isFlow && spliced) {
    const meant = structuredClone(document.toJS()) as unknown;
    for (const { path, value } of edits) assign(meant, path, value);
    const made = parsed(spliced);
    if (made.errors.length === 0 && JSON.stringify(made.toJS()) === JSON.stringify(meant)) return spliced;
  }
  // An unusual layout, in which one edit may move another.
  return edits.reduce(
    (made, { path, value }) =>
      value === undefined ? deleteIn(made, file, path) : setIn(made, file, path, value),
    text,
  );
}

function spliceOne(text: string, document: Document.Parsed, path: Path, value: unknown): Splice | undefined {
  if (value !== undefined) return spliceSet(text, document, path, value);
  const parent = document.getIn(path.slice(0, -1), true);
  const isLast = isCollection(parent) && parent.items.length === 1;
  return document.hasIn(path) && !isLast ? spliceDelete(text, document, path) : undefined;
}

/** Sets or deletes a value of plain content in place, where its parent is there. */
function assign(content: unknown, path: Path, value: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce((at: unknown, key) => (at as Record<string, unknown>)[key], content);
  const key = String(path.at(-1));
  if (value === undefined) delete (parent as Record<string, unknown>)[key];
  else (parent as Record<string, unknown>)[key] = value;
}

/** Text that takes the place of what stands between two offsets. */
interface Splice {
  readonly start: number;
  readonly end: number;
  readonly written: string;
}

function apply(text: string, { start, end, written }: Splice): string {
  return text.slice(0, start) + written + text.slice(end);
}

/** Undefined where two of them meet. */
function applyAll(text: string, splices: readonly Splice[]): string | undefined {
  const sorted = splices.toSorted((a, b) => a.start - b.start);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, written } of sorted) {
    if (start < at) return undefined;
    parts.push(text.slice(at, start), written);
    at = end;
  }
  return parts.join("") + text.slice(at);
}

interface Change {
  expected(content: unknown): unknown;
  splice(document: Document.Parsed): Splice | undefined;
  rewrite(document: Document.Parsed): void;
}

function change(text: string, file: string, { expected, splice, rewrite }: Change): string {
  const meant = JSON.stringify(expected(read(text, file).toJS()));
  const holds = (made: string) => JSON.stringify(parsed(made).toJS()) === meant;
  const found = splice(parseDocument(text));
  const spliced = found && apply(text, found);
  if (spliced !== undefined && parsed(spliced).errors.length === 0 && holds(spliced)) return spliced;
  // An unusual layout: the file is laid out anew, its comments and quotes kept.
  const document = parseDocument(text);
  rewrite(document);
  const rewritten = document.toString({ lineWidth: 0 });
  if (holds(rewritten)) return rewritten;
  throw new FleetError("STACK_FILE_UNREADABLE", {
    file,
    cause: "it uses anchors or tags that cannot be edited",
  });
}

let latest: { readonly text: string; readonly document: Document.Parsed } | undefined;

/** The text as a document that nobody changes; the one that was parsed last is kept, since one edit follows another. */
function parsed(text: string): Document.Parsed {
  if (latest?.text !== text) latest = { text, document: parseDocument(text) };
  return latest.document;
}

/** Not to be changed. */
function read(text: string, file: string): Document.Parsed {
  const document = parsed(text);
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

function spliceSet(text: string, document: Document.Parsed, path: Path, value: unknown): Splice | undefined {
  const flow = outermostFlow(document, path.slice(0, -1));
  if (flow) return spliceFlow(text, flow, () => document.setIn(path, document.createNode(value)));
  const key = path.at(-1);
  const parent = document.getIn(path.slice(0, -1), true);
  if (document.contents === null || (path.length > 1 && !isCollection(parent))) {
    if (path.length === 1) {
      const written = `${lineBreakBefore(text)}${block({ [String(key)]: value }, 0, text)}`;
      return { start: text.length, end: text.length, written };
    }
    return spliceSet(text, document, path.slice(0, -1), { [String(key)]: value });
  }
  const map = path.length === 1 ? document.contents : parent;
  if (!isMap(map) || typeof key !== "string") return undefined;
  const pair = pairOf(map as YAMLMap, key);
  const column = columnOf(text, map as YAMLMap);
  if (!pair) {
    const at = endOfEntry(text, valueEnd(map as Node), column);
    const before = at > 0 && text[at - 1] !== "\n" ? newLine(text) : "";
    return { start: at, end: at, written: `${before}${block({ [key]: value }, column, text)}` };
  }
  const node = pair.value as ParsedNode | null;
  const start = (pair.key as ParsedNode).range[0];
  if (node && isScalar(node) && !isObject(value) && node.range[1] > node.range[0]) {
    return { start: node.range[0], end: node.range[1], written: scalarText(value, node.type) };
  }
  const end =
    node && node.range[1] > node.range[0]
      ? valueEnd(node)
      : text.indexOf(":", (pair.key as ParsedNode).range[1]) + 1;
  return { start, end, written: block({ [key]: value }, column, text).trim() };
}

function spliceAppend(
  text: string,
  document: Document.Parsed,
  path: Path,
  entry: unknown,
): Splice | undefined {
  const flow = outermostFlow(document, path);
  if (flow) return spliceFlow(text, flow, () => document.addIn(path, document.createNode(entry)));
  const list = document.getIn(path, true) as YAMLSeq;
  const column = columnOf(text, list);
  const at = endOfEntry(text, valueEnd(list as Node), column);
  const before = text[at - 1] === "\n" ? "" : newLine(text);
  return { start: at, end: at, written: `${before}${block([entry], column, text)}` };
}

function spliceDelete(text: string, document: Document.Parsed, path: Path): Splice | undefined {
  const flow = outermostFlow(document, path.slice(0, -1));
  if (flow) return spliceFlow(text, flow, () => document.deleteIn(path));
  const parent = document.getIn(path.slice(0, -1), true);
  const key = path.at(-1);
  if (isSeq(parent)) {
    const item = parent.items[Number(key)] as ParsedNode;
    const start = startOfLine(text, item.range[0]);
    if (text.slice(start, item.range[0]).trim() !== "-") return undefined;
    return { start, end: endOfEntry(text, valueEnd(item), columnOf(text, parent)), written: "" };
  }
  if (!isMap(parent)) return undefined;
  const index = parent.items.findIndex((pair) => isScalar(pair.key) && pair.key.value === key);
  const pair = parent.items[index] as Pair<ParsedNode, ParsedNode | null>;
  const start = startOfLine(text, pair.key.range[0]);
  if (text.slice(start, pair.key.range[0]).trim() === "")
    return { start, end: endOfLine(text, valueEnd(pair)), written: "" };
  // Behind the dash of an entry: the next key takes its place.
  const next = parent.items[index + 1]?.key as ParsedNode | undefined;
  return next && { start: pair.key.range[0], end: next.range[0], written: "" };
}

/** Prints a collection in braces or brackets again; the text around it stays. */
function spliceFlow(text: string, flow: ParsedNode, edit: () => void): Splice {
  const [start, end] = flow.range;
  const isTight = /^[[{]\S/.test(text.slice(start, end));
  edit();
  const alone = new Document(null, { version: "1.1" });
  alone.contents = flow as never;
  flow.comment = null;
  flow.commentBefore = null;
  const written = alone.toString({ lineWidth: 0, flowCollectionPadding: !isTight, directives: false }).trim();
  return { start, end, written };
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
