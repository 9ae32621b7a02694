"""The database of a server that this tool did not set up: which migrations it has, what it lacks, written into a ledger.

The tool before this one ran every migration with its errors ignored and wrote nothing down; see `evidence`.
"""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from . import evidence
from .database import INIT, OUTCOME_BY_NOTES, Database, guarded, literal, read_refused
from .evidence import FilePlan, Trace, TracedFile
from .failure import Failure, one_line
from .migrations import Migration, Statement, psql_error, statements

_REFERENCE = "geoclic_fleet_reference"
_SCHEMA = "geoclic_fleet"
"""In the reference only."""
_STEP = "adoption"
_LOCK_NOT_AVAILABLE = "55P03"
_ATTEMPTS = 3

Say = Callable[[str, str], None]


def _own(kind: str, of: str) -> str:
    """Not brought by an extension."""
    return f"NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '{kind}'::regclass AND d.objid = {of}.oid AND d.deptype = 'e')"


_PLACE = f"n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', '{_SCHEMA}')"
_RELATIONS = f"pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND {_PLACE} AND {_own('pg_class', 'c')}"
_OBJECTS = f"""
SELECT 'extension ' || extname AS object FROM pg_extension
UNION SELECT 'schema ' || n.nspname FROM pg_namespace n WHERE {_PLACE} AND {_own('pg_namespace', 'n')}
UNION SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'S' THEN 'sequence'
       WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' ELSE 'relation' END || ' ' || n.nspname || '.' || c.relname FROM {_RELATIONS}
UNION SELECT 'column ' || n.nspname || '.' || c.relname || '.' || a.attname
  FROM {_RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relkind IN ('r', 'p', 'v', 'm')
UNION SELECT 'definition ' || n.nspname || '.' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || coalesce(' default ' || translate(pg_get_expr(f.adbin, f.adrelid), E'\\n', ' '), '')
  FROM {_RELATIONS} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum WHERE c.relkind IN ('r', 'p')
UNION SELECT 'type ' || n.nspname || '.' || t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND {_PLACE}
 WHERE t.typtype IN ('e', 'd', 'r') AND {_own('pg_type', 't')}
UNION SELECT 'label ' || n.nspname || '.' || t.typname || ' ' || e.enumlabel
  FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid AND {_own('pg_type', 't')} JOIN pg_namespace n ON n.oid = t.typnamespace AND {_PLACE}
UNION SELECT 'function ' || n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')'
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND {_PLACE} WHERE {_own('pg_proc', 'p')}
UNION SELECT 'trigger ' || n.nspname || '.' || c.relname || '.' || g.tgname FROM {_RELATIONS} JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
UNION SELECT 'constraint ' || n.nspname || '.' || c.relname || '.' || k.conname FROM {_RELATIONS} JOIN pg_constraint k ON k.conrelid = c.oid
"""
_OBJECTS_LINE = " ".join(_OBJECTS.split())


class Adoption:
    """Of the database that runs; `database` is started and dumped before."""

    def __init__(self, database: Database, say: Say) -> None:
        self._database, self._say = database, say

    def plan(self, folder: Path) -> list[FilePlan]:
        """What each of the release's files needs. The town's database is only read. Raises Failure DATABASE_FOREIGN."""
        began = time.monotonic()
        init = self._database.read_init(folder)
        files = [init, *self._database.read_migrations(folder)]
        try:
            self._make_reference()
            traced = self._trace(files)
            self._final = self._objects("-d", _REFERENCE)
        finally:
            self._drop_reference()
        plans = evidence.plan(traced, self._final, self._objects())
        if plans[0].verdict == "absent":
            raise Failure("DATABASE_FOREIGN", "database", f"it has tables, but none of those that {init.name} makes", "it is not of this suite: look at the database on the server.")
        for each in plans:
            if each.blocked:
                lines = ", ".join(map(str, each.blocked))
                raise Failure("MIGRATION_HALF_APPLIED", _STEP, f"the database has {each.migration.name} in part; what is missing drops or renames something (lines {lines})",
                              "complete or undo that file by hand in the database, then run again; nothing was changed.")
            if each.verdict == "partial":
                self._say(_STEP, f"{each.migration.name} {each.notes}")
        count = {verdict: sum(each.verdict == verdict for each in plans) for verdict in ("present", "partial", "absent")}
        self._say(_STEP, f"of {len(plans)} files of SQL the database has {count['present']}, {count['partial']} in part, {count['absent']} not;"
                         f" compared in {time.monotonic() - began:.1f} s")
        return plans

    def carry_out(self, plans: Sequence[FilePlan], tolerate: dict[str, list[str]]) -> None:
        """The ledger, and what is missing, in one transaction: all or nothing. Raises Failure with nothing changed."""
        script = self._script(plans, tolerate)
        for attempt in range(1, _ATTEMPTS + 1):
            end = self._database.psql("-A", "-t", "-f", "-", stdin=script)
            said = end.stdout.splitlines()
            if "geoclic committed" in said:
                return
            lacks = [line.removeprefix("geoclic lacks ") for line in said if line.startswith("geoclic lacks ")]
            if lacks:
                raise Failure("SCHEMA_DIFFERS", _STEP, f"the database lacks what the suite needs and cannot make beside what is there: {', '.join(lacks[:8])}",
                              "write a migration that makes it, or correct the database by hand; nothing was changed.")
            file = next((line.removeprefix("geoclic file ") for line in reversed(said) if line.startswith("geoclic file ")), "the ledger")
            error = read_refused(said) or psql_error(end.stderr)
            if error.sqlstate != _LOCK_NOT_AVAILABLE or attempt == _ATTEMPTS:
                raise self._database.refused(error, file, "MIGRATION_FAILED")
            time.sleep(3)

    def _script(self, plans: Sequence[FilePlan], tolerate: dict[str, list[str]]) -> str:
        lines = ["\\set ON_ERROR_STOP on", "BEGIN;", self._database.settings(), self._database.create_ledger() + ";", "\\set ON_ERROR_STOP off"]
        for each in plans:
            name = each.migration.name
            # Nobody knows what else was made by hand; whether anything is lacking in the end is asked below.
            codes = sorted({*tolerate.get(name, []), *evidence.ALREADY_THERE})
            lines += [f"\\echo geoclic file {name}", "\\set notes ''", "RESET search_path;"]
            for statement in each.statements:
                lines += guarded(statement, codes)
            outcome = OUTCOME_BY_NOTES if each.verdict == "absent" else ("'adopted'", f"rtrim({literal(each.notes + '; ')} || :'notes', '; ')")
            lines += ["RESET search_path;", self._database.record(each.migration, *outcome), "\\if :ERROR", "ROLLBACK;", "\\quit", "\\endif"]
        needed = ", ".join(f"({literal(found)})" for found in sorted(self._final) if evidence.is_essential(found))
        lines += [
            f"CREATE TEMP TABLE geoclic_lacks ON COMMIT DROP AS SELECT o.object FROM (VALUES {needed}) AS o (object) EXCEPT SELECT object FROM ({_OBJECTS_LINE}) AS now;",
            "SELECT 'geoclic lacks ' || object FROM geoclic_lacks ORDER BY object;",
            "SELECT count(*) > 0 AS is_lacking FROM geoclic_lacks \\gset",
            "\\if :is_lacking", "ROLLBACK;", "\\quit", "\\endif",
            "COMMIT;", "\\if :ERROR", "\\quit", "\\endif", "\\echo geoclic committed",
        ]
        return "\n".join(lines) + "\n"

    def _make_reference(self) -> None:
        self._drop_reference()
        self._database.query(f"CREATE DATABASE {_REFERENCE} TEMPLATE template0")
        extensions = self._database.query("SELECT quote_ident(extname), quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
                                          " WHERE extname <> 'plpgsql'")
        script = [f"CREATE SCHEMA IF NOT EXISTS {schema};\nCREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {schema} CASCADE;" for name, schema in extensions]
        made = self._database.psql("-d", _REFERENCE, "-v", "ON_ERROR_STOP=0", "-f", "-", stdin="\n".join(script) + "\n")
        if made.status != 0:
            raise Failure("REFERENCE_FAILED", _STEP, one_line(made.said, 400), "look at the database on the server; nothing was changed.")

    def _drop_reference(self) -> None:
        self._database.query(f"DROP DATABASE IF EXISTS {_REFERENCE} WITH (FORCE)")

    def _trace(self, files: Sequence[Migration]) -> list[TracedFile]:
        by_file = [statements(file.sql) for file in files]
        end = self._database.psql("-d", _REFERENCE, "-A", "-t", "-f", "-", stdin=_tracing(by_file))
        said = end.stdout.splitlines()
        if "geoclic traced" not in said:
            raise Failure("REFERENCE_FAILED", _STEP, psql_error(end.stderr).message, "look at the database on the server; nothing was changed.")
        return read_traces(files, by_file, said)

    def _objects(self, *words: str) -> list[str]:
        listed = self._database.psql("-A", "-t", *words, "-c", _OBJECTS_LINE)
        if listed.status != 0:
            raise Failure("DATABASE_FAILED", _STEP, psql_error(listed.stderr).message, "look at the database on the server.")
        return listed.stdout.splitlines()


def _tracing(by_file: Iterable[Sequence[Statement]]) -> str:
    """Every statement by itself, an error undoing it alone as it did on the town's server, and what it changed."""
    lines = [f"CREATE SCHEMA {_SCHEMA};", f"CREATE VIEW {_SCHEMA}.now AS {_OBJECTS_LINE};", f"CREATE TABLE {_SCHEMA}.seen AS SELECT object FROM {_SCHEMA}.now;",
             "\\set ON_ERROR_STOP off"]
    for file, found in enumerate(by_file):
        # Each had a session of its own.
        lines += ["RESET ALL;", "SET client_min_messages = error;"]
        for index, statement in enumerate(found):
            if evidence.is_traced(statement):
                place = f"{file} {index} "
                lines += [
                    statement.text, ";", "\\if :ERROR", "\\else",
                    f"WITH made AS (INSERT INTO {_SCHEMA}.seen SELECT object FROM {_SCHEMA}.now EXCEPT SELECT object FROM {_SCHEMA}.seen RETURNING object),"
                    f" former AS (SELECT object FROM {_SCHEMA}.seen EXCEPT SELECT object FROM {_SCHEMA}.now),"
                    f" gone AS (DELETE FROM {_SCHEMA}.seen WHERE object IN (SELECT object FROM former) RETURNING object)"
                    f" SELECT 'geoclic made {place}' || object FROM made UNION ALL SELECT 'geoclic gone {place}' || object FROM gone;",
                    "\\endif",
                ]
    return "\n".join([*lines, "\\echo geoclic traced"]) + "\n"


def read_traces(files: Sequence[Migration], by_file: Sequence[Sequence[Statement]], said: Iterable[str]) -> list[TracedFile]:
    found: dict[tuple[str, int, int], set[str]] = {}
    for line in said:
        match = re.fullmatch(r"geoclic (made|gone) (\d+) (\d+) (.*)", line)
        if match:
            found.setdefault((match[1], int(match[2]), int(match[3])), set()).add(match[4])

    def objects(change: str, file: int, index: int) -> frozenset[str]:
        return frozenset(found.get((change, file, index), ()))

    return [
        TracedFile(
            migration if file else Migration(INIT, migration.sql),
            tuple(Trace(statement, objects("made", file, index), objects("gone", file, index)) for index, statement in enumerate(by_file[file])),
        )
        for file, migration in enumerate(files)
    ]
