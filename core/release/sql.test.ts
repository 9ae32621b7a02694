/** What is told of the suite's files of SQL, and what no release is made of. Not proven: that a server runs them (see the server's tests). */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadModule, scanSync } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { sqlParser } from "../../outside/suite-sql.ts";
import { adapterYaml } from "../../test/helpers/adapter.ts";
import { parseAdapter } from "../config/adapter.ts";
import { FleetError } from "../errors.ts";
import { migrationFiles, readFiles, type SqlFile, type SqlParser } from "./sql.ts";

const adapter = parseAdapter(
  { ...adapterYaml, database: { ...adapterYaml.database, autocommit: ["named.sql"] } },
  "geoclic.yaml",
);
let parse: SqlParser;

beforeAll(async () => {
  await loadModule();
  parse = await sqlParser();
});

function read(text: string | Uint8Array, path = "db/m/001.sql"): SqlFile {
  const content = typeof text === "string" ? Buffer.from(text) : text;
  const file = readFiles({ [path]: content }, adapter, parse)[path];
  if (!file) throw new Error("not read");
  return file;
}

function texts(text: string, path?: string): string[] {
  const plain = Buffer.from(text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n"));
  return read(text, path).statements.map(({ start, end }) => plain.subarray(start, end).toString().trim());
}

function refusal(text: string | Uint8Array, path?: string): string {
  try {
    read(text, path);
  } catch (error) {
    if (error instanceof FleetError) return `${error.code} ${error.values.line} ${error.values.found}`;
    throw error;
  }
  return "accepted";
}

describe("statements", () => {
  test.each([
    [
      "a comment line that ends in an apostrophe",
      "-- Provider: 'smtp' ou 'microsoft'\nSELECT 1;\n-- l'état\nSELECT 2;",
    ],
    [
      "signs of two and four bytes, a byte order mark, lines of Windows",
      "\uFEFF-- é😀\r\nSELECT 1;\r\n/* 😀 */ SELECT 2;\r\n",
    ],
    ["its own transaction around them", "BEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;"],
    [
      "its own transactions, one after the other",
      "BEGIN;SELECT 1;END;START TRANSACTION;SELECT 2;COMMIT WORK;",
    ],
    ["empty statements", ";;SELECT 1;;\n;SELECT 2"],
  ])("are found in a file with %s", (_, text) => {
    expect(texts(text)).toEqual(["SELECT 1", "SELECT 2"]);
  });

  test.each([
    "DO $référence$ BEGIN; COMMIT; $référence$",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "SELECT E'a\\'; b', U&'d\\0061t;', 'it''s; \\', \"a;b\"",
    "SELECT 'COMMIT;\n\\c other\n'",
    "SELECT /* a; /* b; */ c; */ 1",
    "COPY t TO STDOUT",
  ])("are whole: %s", (statement) => {
    expect(texts(`${statement};SELECT 2;`)).toEqual([statement, "SELECT 2"]);
  });

  test("of an empty file are none", () => {
    for (const text of ["", "\n", "-- nothing\n", "\uFEFF"]) expect(read(text).statements).toEqual([]);
  });

  test("the hash is that of the text as PostgreSQL gets it", () => {
    expect(read("\uFEFFSELECT 1;\r\n").sha256).toBe(read("SELECT 1;\n").sha256);
  });
});

describe("refused is", () => {
  test.each<[string, string | Uint8Array]>([
    ["SQL_PSQL 2 \\c", "SELECT 1;\n\\c geoclic_db\nDROP TABLE a;"],
    ["SQL_PSQL 1 \\restrict", "\\restrict abc\nSELECT 1;\n\\unrestrict abc"],
    ["SQL_PSQL 1 \\i", "\\i other.sql"],
    ["SQL_PSQL 1 \\gset", "SELECT 1 AS a \\gset"],
    ["SQL_PSQL 2 \\copy", "SELECT 'é😀';\n\\copy t FROM 'x'"],
    ["SQL_PSQL 1 \\!", "\\! rm -rf /"],
    [
      "SQL_COPY 2 COPY … FROM stdin",
      "BEGIN;\nCOPY c (id, nom) FROM stdin;\n1\tL'Haÿ-les-Roses; x\n\\.\nCOMMIT;",
    ],
    ["SQL_COPY 1 COPY … FROM stdin", "COPY c FROM stdin;\n\\.\n"],
    ["SQL_COPY 1 COPY c FROM stdin", "COPY c FROM stdin;\n"],
    ['SQL_SYNTAX 3 syntax error at or near "TABL"', "-- l'état\n\nCREATE TABL a ();"],
    ['SQL_SYNTAX 2 unterminated quoted string at or near "\'a;\n"', "SELECT 1;\nSELECT 'a;\n"],
    ["SQL_TRANSACTION 2 ROLLBACK", "SELECT 1;\nROLLBACK;"],
    ["SQL_TRANSACTION 1 ABORT", "ABORT"],
    ["SQL_TRANSACTION 1 COMMIT AND CHAIN", "COMMIT AND CHAIN;"],
    ["SQL_TRANSACTION 2 COMMIT", "SELECT 1;\nCOMMIT;"],
    ["SQL_TRANSACTION 1 BEGIN", "BEGIN;\nSELECT 1;"],
    ["SQL_TRANSACTION 2 BEGIN", "BEGIN;\nBEGIN;\nCOMMIT;"],
    ["SQL_TRANSACTION 1 BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN ISOLATION LEVEL SERIALIZABLE; COMMIT"],
    ["SQL_TRANSACTION 1 SAVEPOINT a", "SAVEPOINT a; "],
    ["SQL_TRANSACTION 1 PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION 'x';"],
    ["SQL_ALONE 1 CREATE INDEX CONCURRENTLY i ON t (x)", "CREATE INDEX CONCURRENTLY i ON t (x);"],
    ["SQL_ALONE 1 DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY i;"],
    ["SQL_ALONE 1 REINDEX TABLE CONCURRENTLY t", "REINDEX TABLE CONCURRENTLY t"],
    ["SQL_ALONE 1 REINDEX (CONCURRENTLY) INDEX i", "REINDEX (CONCURRENTLY) INDEX i"],
    ["SQL_ALONE 1 REINDEX DATABASE d", "REINDEX DATABASE d"],
    [
      "SQL_ALONE 1 ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
      "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
    ],
    ["SQL_ALONE 1 VACUUM t", "VACUUM t"],
    ["SQL_ALONE 1 CLUSTER", "CLUSTER"],
    ["SQL_ALONE 1 ALTER SYSTEM SET work_mem = '1MB'", "ALTER SYSTEM SET work_mem = '1MB'"],
    ["SQL_UNFIT 1 CREATE DATABASE d", "CREATE DATABASE d"],
    ["SQL_UNFIT 1 SET standard_conforming_strings = off", "SET standard_conforming_strings = off"],
    ["SQL_UNFIT 1 SET application_name = 'x'", "SET application_name = 'x'"],
    ["SQL_UNFIT 1 DISCARD ALL", "DISCARD ALL"],
    ["SQL_AUTOCOMMIT_STATE 2 BEGIN", "-- geoclic: autocommit\nBEGIN; SELECT 1; COMMIT;"],
    ["SQL_AUTOCOMMIT_STATE 2 SET search_path = x", "-- geoclic: autocommit\nSET search_path = x;"],
    [
      "SQL_AUTOCOMMIT_STATE 2 CREATE INDEX CONCURRENTLY ON t (x)",
      "-- geoclic: autocommit\nCREATE INDEX CONCURRENTLY ON t (x)",
    ],
    ["SQL_ENCODING 2 UTF-8", Buffer.from("SELECT 1;\nSELECT 'été';", "latin1")],
    ["SQL_ENCODING 2 \\0", "SELECT 1;\n\0SELECT 2;"],
  ])("%s", (expected, text) => {
    expect(refusal(text)).toBe(expected);
  });

  test("an init file that is no transaction", () => {
    expect(refusal("-- geoclic: autocommit\nSELECT 1", "db/init.sql")).toMatch("SQL_INIT_AUTOCOMMIT");
  });

  test("everything at once, each with its place", () => {
    const contents = { "db/m/1.sql": Buffer.from("VACUUM;\nVACUUM;"), "db/m/2.sql": Buffer.from("\\q") };
    expect(() => readFiles(contents, adapter, parse)).toThrow("db/m/1.sql:1: `VACUUM` cannot run");
    expect(() => readFiles(contents, adapter, parse)).toThrow("(+ db/m/1.sql:2, db/m/2.sql:1)");
  });

  test.each([
    "ANALYZE t",
    "ALTER TYPE t ADD VALUE 'x'",
    "SET standard_conforming_strings = on",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "CLUSTER t",
    "SET LOCAL lock_timeout = 0",
    "COPY t FROM '/tmp/x'",
  ])("not: %s", (text) => {
    expect(refusal(text)).toBe("accepted");
  });
});

test("a file whose statements are kept one by one says which run outside transactions", () => {
  for (const [path, head] of [
    ["db/m/named.sql", ""],
    ["db/m/x.sql", "-- Index\n-- geoclic: autocommit\n"],
  ] as const) {
    const { mode, statements } = read(
      `${head}CREATE INDEX CONCURRENTLY "é" ON t (x); VACUUM t; SELECT 1`,
      path,
    );
    expect(mode).toBe("autocommit");
    expect(statements.map(({ alone, index }) => [alone, index])).toEqual([
      [true, "é"],
      [true, undefined],
      [undefined, undefined],
    ]);
  }
});

describe("migrations", () => {
  const paths = [
    "db/m/016_a.sql",
    "db/m/README.md",
    "db/m/sub/019.sql",
    "db/m/018.sql.bak",
    "db/init.sql",
    "x/017.sql",
  ];

  test("are the files ended by .sql in the folder itself; what looks like one and is none is named", () => {
    expect(migrationFiles(adapter, paths)).toEqual({
      migrations: ["db/m/016_a.sql"],
      passedOver: ["db/m/sub/019.sql", "db/m/018.sql.bak"],
    });
  });

  test("are no files in capitals", () => {
    expect(() => migrationFiles(adapter, [...paths, "db/m/017_AJOUT.SQL"])).toThrow(
      "db/m/017_AJOUT.SQL is no migration for its name",
    );
  });
});

// PostgreSQL's scanner is asked apart from its parser: what lies between two statements is blank, comment, semicolon or a transaction's word.
describe("boundaries, over generated and mangled files", () => {
  const rounds = Number(process.env.GEOCLIC_SQL_ROUNDS ?? 3000);
  const comments = [
    "-- l'état\n",
    "-- 'smtp' ou 'microsoft'\n",
    "/* a; /* 'b */ \" */",
    "--\n",
    "-- $$\n",
    "/* 😀 é */",
    "\r\n",
    "  ",
    "\n\n",
    "-- ;\n",
  ];
  const statements = [
    "SELECT 1",
    "SELECT 'it''s; \\'",
    "SELECT E'\\'; --'",
    "SELECT U&'d\\0061;t'",
    'SELECT 1 AS "a;""b"',
    "SELECT $$;'$$",
    "SELECT $é$ $$; $é$",
    "SELECT '😀;', 1 AS é",
    "DO $x$ BEGIN PERFORM 1; END $x$",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
    "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT ''a;'''",
    "INSERT INTO t VALUES (1, 'a\nb;')",
    "SELECT 'a'\n'b;'",
    "SELECT B'01', X'1F'",
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)",
    "SELECT 1 -- l'é;\n + 2",
    "SELECT (1 /* ; */)",
  ];

  function random(seed: number) {
    let state = seed;
    const next = () => {
      state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
      return state / 4_294_967_296;
    };
    return {
      below: (count: number) => Math.floor(next() * count),
      of: <T>(all: readonly T[]): T => all[Math.floor(next() * all.length)] as T,
    };
  }

  function generated(seed: number): { text: string; expected: string[] } {
    const { below, of } = random(seed);
    const expected: string[] = [];
    let text = below(4) === 0 ? "\uFEFF" : "";
    const inTransaction = below(3) === 0;
    if (inTransaction) text += `${of(comments)}BEGIN;`;
    for (let count = below(5); count >= 0; count--) {
      const statement = of(statements);
      expected.push(statement);
      text += `${below(2) ? of(comments) : ""}${statement}${below(3) ? "" : of([" ", "\n", "/* ; */"])};`;
    }
    if (inTransaction) text += `${of(comments)}COMMIT;`;
    if (below(3) === 0) text += of(comments);
    return { text: below(3) === 0 ? text.replaceAll(/\r?\n/g, "\r\n") : text, expected };
  }

  function mangled(text: string, seed: number): string {
    const { below, of } = random(seed);
    const signs = [...text];
    for (let count = below(3); count >= 0; count--)
      signs.splice(
        below(signs.length),
        below(3),
        of([
          "'",
          '"',
          "$$",
          "--",
          "/*",
          "*/",
          ";",
          "\\",
          "😀",
          "(",
          ")",
          "BEGIN ATOMIC ",
          "E'",
          "\r",
          "COMMIT;",
        ]),
      );
    return signs.join("");
  }

  test("a generated file gives exactly its statements", () => {
    for (let seed = 0; seed < rounds; seed++) {
      const { text, expected } = generated(seed);
      const plain = (each: string) =>
        each
          .replaceAll("\r\n", "\n")
          .replace(/\s*\/\* ; \*\/$/, "")
          .trim();
      expect(texts(text).map(plain), `seed ${seed}`).toEqual(expected.map(plain));
    }
  });

  test("a mangled file is refused, or cut where PostgreSQL's scanner agrees", () => {
    let accepted = 0;
    for (let seed = 0; seed < rounds; seed++) {
      const text = mangled(generated(seed).text, seed + 1);
      let file: SqlFile;
      try {
        file = read(text);
      } catch (error) {
        expect(error, `seed ${seed}`).toBeInstanceOf(FleetError);
        continue;
      }
      accepted++;
      const plain = Buffer.from(text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n"));
      for (const { start, end } of file.statements) {
        const alone = parse(plain.subarray(start, end).toString());
        expect(alone, `seed ${seed}`).toHaveLength(1);
        expect(alone[0]?.start, `seed ${seed}`).toBe(0);
      }
      const inside = (at: number) => file.statements.some(({ start, end }) => start <= at && at < end);
      const between =
        plain.toString() === ""
          ? []
          : scanSync(plain.toString()).tokens.filter(({ start }) => !inside(start));
      for (const { text: word } of between)
        expect(word, `seed ${seed}`).toMatch(/^(--|\/\*|;$|(begin|commit|end|start|transaction|work)$)/i);
    }
    expect(accepted).toBeGreaterThan(rounds / 20);
    expect(accepted).toBeLessThan(rounds);
  });

  test("the server reads the same statements and lines from bytes", () => {
    const folder = mkdtempSync(join(tmpdir(), "geoclic-sql-"));
    const files = Array.from({ length: 200 }, (_, seed) => {
      const { text } = generated(seed);
      return { text, told: read(text), expected: texts(text) };
    });
    writeFileSync(join(folder, "files.json"), JSON.stringify(files));
    const script = `
import json, sys
from geoclic_server.migrations import read_migration
for each in json.load(open(sys.argv[1])):
    content = each["text"].encode()
    found = read_migration("x.sql", content, each["told"])
    assert [one.text.strip() for one in found.statements] == each["expected"], each
    plain = content.decode("utf-8-sig").replace("\\r\\n", "\\n")
    for one in found.statements:
        assert "\\n".join(plain.split("\\n")[one.line - 1:]).find(one.text) >= 0, each
print(len(found.statements))
`;
    const cwd = resolve(import.meta.dirname, "../../assets/server");
    try {
      expect(
        Number(
          execFileSync("python3", ["-B", "-c", script, join(folder, "files.json")], {
            cwd,
            encoding: "utf8",
          }),
        ),
      ).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
