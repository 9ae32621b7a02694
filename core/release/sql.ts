/**
 * @module The suite's files of SQL, read when a release is made: which statements each one has and how it runs, or why no server may get it.
 * Where a statement begins and ends is PostgreSQL's own parser's word; nothing here reads SQL.
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { Adapter } from "../config/adapter.ts";
import { type ErrorCode, FleetError } from "../errors.ts";

export interface SqlStatement {
  /** Bytes of the file as PostgreSQL gets it: UTF-8 without byte order mark, lines ended by LF. */
  readonly start: number;
  readonly end: number;
  /** PostgreSQL runs it outside transactions only. */
  readonly alone?: true;
  /** Name of the index that it makes beside writers. */
  readonly index?: string;
}

export interface SqlFile {
  /** Of the file as PostgreSQL gets it. */
  readonly sha256: string;
  /** The whole file in one transaction, or each statement kept by itself. */
  readonly mode: "transaction" | "autocommit";
  /** Those to run: BEGIN and COMMIT around them are none. */
  readonly statements: readonly SqlStatement[];
}

export interface SuiteSql {
  /** By path in the suite: the init file, the migrations, the demonstration data. */
  readonly files: Readonly<Record<string, SqlFile>>;
  /** What lies in the migrations' folder, looks like SQL and is no migration. */
  readonly passedOver: readonly string[];
}

/** A statement as the parser gives it: the name of its node and the node. */
export interface ParsedStatement {
  readonly kind: string;
  readonly node: Readonly<Record<string, unknown>>;
  /** Byte of its first word. */
  readonly start: number;
  /** Byte behind it; its semicolon is not in it. */
  readonly end: number;
}

export type SqlParser = (text: string) => readonly ParsedStatement[];

/** What the parser refuses. */
export class SqlSyntax extends Error {
  /** Characters (code points) before the place. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

type SqlCode = Extract<ErrorCode, `SQL_${string}`>;

interface Problem {
  readonly code: SqlCode;
  readonly file: string;
  readonly line: number;
  readonly found: string;
}

/** Paths of the migrations, and what lies beside them and looks like SQL. @throws FleetError `SQL_NAME` */
export function migrationFiles(
  { database }: Pick<Adapter, "database">,
  paths: readonly string[],
): { migrations: string[]; passedOver: string[] } {
  const folder = posix.normalize(database.migrations);
  const inside = paths.filter((path) => path.startsWith(`${folder}/`) && path !== database.init);
  const isMigration = (path: string) => posix.dirname(path) === folder && path.endsWith(".sql");
  const other = inside.find(
    (path) => posix.dirname(path) === folder && /\.sql$/i.test(path) && !isMigration(path),
  );
  if (other) throw new FleetError("SQL_NAME", { file: other });
  const passedOver = inside.filter((path) => /\.(sql|psql|pgsql)\b/i.test(path) && !isMigration(path));
  return { migrations: inside.filter(isMigration), passedOver };
}

/**
 * @param contents of the init file, the migrations and the demonstration data, by path
 * @throws FleetError `SQL_…` of the first problem, with the places of the others
 */
export function readFiles(
  contents: Readonly<Record<string, Uint8Array>>,
  { database }: Pick<Adapter, "database">,
  parse: SqlParser,
): Record<string, SqlFile> {
  const files: Record<string, SqlFile> = {};
  const problems: Problem[] = [];
  for (const [path, content] of Object.entries(contents)) {
    const read = readFile(path, content, database, parse);
    files[path] = read.file;
    problems.push(...read.problems);
  }
  const [first, ...others] = problems;
  if (first) {
    const { code, file, line, found } = first;
    const places = others.slice(0, 12).map((each) => `${each.file}:${each.line}`);
    const more = others.length === 0 ? "" : ` (+ ${places.join(", ")}${others.length > 12 ? " …" : ""})`;
    throw new FleetError(code, { file, line, found, more });
  }
  return files;
}

function readFile(
  path: string,
  content: Uint8Array,
  database: Adapter["database"],
  parse: SqlParser,
): { file: SqlFile; problems: Problem[] } {
  const problem = (code: SqlCode, line: number, found: string): Problem => ({
    code,
    file: path,
    line,
    found,
  });
  const refused = (...problems: Problem[]) => ({
    file: { sha256: "", mode: "transaction", statements: [] } as const,
    problems,
  });
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(content).replaceAll("\r\n", "\n");
  } catch {
    return refused(problem("SQL_ENCODING", firstBadLine(content), "UTF-8"));
  }
  const zero = text.indexOf("\0");
  if (zero >= 0) return refused(problem("SQL_ENCODING", lineAt(text.slice(0, zero)), "\\0"));
  const bytes = Buffer.from(text);
  let parsed: readonly ParsedStatement[];
  try {
    parsed = text.trim() === "" ? [] : parse(text);
  } catch (error) {
    if (!(error instanceof SqlSyntax)) throw error;
    return refused({ file: path, ...syntaxProblem(text, error, parse) });
  }
  const lineOf = (start: number) => lineAt(bytes.toString("latin1", 0, start));
  const head = bytes.subarray(0, parsed[0]?.start ?? bytes.length).toString();
  const isNamed = database.autocommit.includes(posix.basename(path)) && path !== database.init;
  const isAutocommit = isNamed || /^\s*--\s*geoclic:\s*autocommit\s*$/m.test(head);
  if (isAutocommit && path === database.init) return refused(problem("SQL_INIT_AUTOCOMMIT", 1, ""));
  const problems: Problem[] = [];
  const statements: SqlStatement[] = [];
  let open: ParsedStatement | undefined;
  for (const statement of parsed) {
    const { kind, node, start, end } = statement;
    const refuse = (code: SqlCode) =>
      problems.push(problem(code, lineOf(start), firstWords(bytes.subarray(start, end).toString())));
    if (kind === "TransactionStmt") {
      const word = isAutocommit ? undefined : bracket(node);
      if (word === "open" && !open) open = statement;
      else if (word === "close" && open) open = undefined;
      else refuse(isAutocommit ? "SQL_AUTOCOMMIT_STATE" : "SQL_TRANSACTION");
      continue;
    }
    const alone = runsAlone(kind, node);
    if (isCopyOfData(kind, node)) refuse("SQL_COPY");
    else if (isUnfit(kind, node)) refuse("SQL_UNFIT");
    else if (alone && !isAutocommit) refuse("SQL_ALONE");
    else if (isAutocommit && (kind === "VariableSetStmt" || alone?.index === ""))
      refuse("SQL_AUTOCOMMIT_STATE");
    statements.push({ start, end, ...(alone ? { alone: true, ...alone } : {}) });
  }
  if (open) problems.push(problem("SQL_TRANSACTION", lineOf(open.start), "BEGIN"));
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { file: { sha256, mode: isAutocommit ? "autocommit" : "transaction", statements }, problems };
}

function syntaxProblem(
  text: string,
  { message, offset }: SqlSyntax,
  parse: SqlParser,
): Omit<Problem, "file"> {
  const before = textBefore(text, offset);
  const line = lineAt(before);
  const command = /^\\\S*/.exec(text.slice(before.length, before.length + 40))?.[0];
  const copy = command === undefined || command === "\\." ? copyBefore(before, parse) : undefined;
  if (copy !== undefined) return { code: "SQL_COPY", line: lineAt(copy), found: "COPY … FROM stdin" };
  if (command !== undefined) return { code: "SQL_PSQL", line, found: command };
  return { code: "SQL_SYNTAX", line, found: message };
}

/** What stands before the COPY over whose rows the parser stumbled. */
function copyBefore(text: string, parse: SqlParser): string | undefined {
  let end = text.lastIndexOf(";");
  for (let attempts = 0; end > 0 && attempts < 50; attempts++) {
    try {
      const last = parse(text.slice(0, end)).at(-1);
      if (!last || !isCopyOfData(last.kind, last.node)) return undefined;
      return Buffer.from(text).subarray(0, last.start).toString();
    } catch {
      // This semicolon is one of the rows' own.
      end = text.lastIndexOf(";", end - 1);
    }
  }
  return undefined;
}

function bracket({ kind, options, chain }: Readonly<Record<string, unknown>>): "open" | "close" | undefined {
  if (options !== undefined || chain) return undefined;
  if (kind === "TRANS_STMT_BEGIN" || kind === "TRANS_STMT_START") return "open";
  return kind === "TRANS_STMT_COMMIT" ? "close" : undefined;
}

function isCopyOfData(kind: string, node: Readonly<Record<string, unknown>>): boolean {
  return kind === "CopyStmt" && node.is_from === true && node.filename === undefined && !node.is_program;
}

/** What PostgreSQL refuses inside a transaction ("cannot run inside a transaction block"). */
function runsAlone(
  kind: string,
  node: Readonly<Record<string, unknown>>,
): { readonly index?: string } | undefined {
  const isConcurrent = (value: unknown) => JSON.stringify(value ?? "").includes('"concurrently"');
  switch (kind) {
    case "IndexStmt":
      return node.concurrent ? { index: String(node.idxname ?? "") } : undefined;
    case "ReindexStmt":
      return isConcurrent(node.params) || /SCHEMA|SYSTEM|DATABASE/.test(String(node.kind)) ? {} : undefined;
    case "VacuumStmt":
      return node.is_vacuumcmd ? {} : undefined;
    case "DropStmt":
      return node.concurrent ? {} : undefined;
    case "AlterTableStmt":
      return JSON.stringify(node.cmds).includes('"concurrent":true') ? {} : undefined;
    case "ClusterStmt":
      return node.relation === undefined ? {} : undefined;
    case "AlterSystemStmt":
      return {};
    default:
      return undefined;
  }
}

const unfitKinds = [
  "CreatedbStmt",
  "DropdbStmt",
  "CreateTableSpaceStmt",
  "DropTableSpaceStmt",
  "CreateSubscriptionStmt",
  "AlterSubscriptionStmt",
  "DropSubscriptionStmt",
];
/** Settings by which the tool reads strings, and finds its own sessions. */
const ownSettings = ["standard_conforming_strings", "application_name"];

function isUnfit(kind: string, node: Readonly<Record<string, unknown>>): boolean {
  if (kind === "VariableSetStmt" && ownSettings.includes(String(node.name)))
    return !JSON.stringify(node.args ?? []).includes('"sval":"on"');
  return unfitKinds.includes(kind) || (kind === "DiscardStmt" && node.target === "DISCARD_ALL");
}

function firstWords(statement: string): string {
  const line = statement.replace(/\s+/g, " ").trim();
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}

function lineAt(before: string): number {
  return before.split("\n").length;
}

/** The text before a number of code points. */
function textBefore(text: string, codePoints: number): string {
  let end = 0;
  for (let count = 0; count < codePoints && end < text.length; count++)
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

function firstBadLine(content: Uint8Array): number {
  const lines = Buffer.from(content).toString("latin1").split("\n");
  const bad = lines.findIndex((line) => {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(line, "latin1"));
      return false;
    } catch {
      return true;
    }
  });
  return bad + 1;
}
