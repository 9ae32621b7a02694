"""The database of a server that this tool did not set up: which migrations it has, what it lacks, written into a ledger.

The tool before this one ran every migration with its errors ignored and wrote nothing down; see `evidence`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from . import evidence
from .database import INIT, Database
from .evidence import FilePlan, Trace, TracedFile
from .failure import Failure, one_line
from .migrating import attempts, begin, is_worth_another, refused, run_statement, settle
from .migrations import Migration, SqlError, program_error
from .session import Session, SessionLost, SqlRefused

_REFERENCE = "geoclic_fleet_reference"
_SCHEMA = "geoclic_fleet"
"""In the reference only."""
_STEP = "adoption"

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
        if any(file.statements is None for file in files):
            raise Failure("RELEASE_OLD", _STEP, "this release was made by an earlier version of the tool and does not tell the statements of its files of SQL",
                          "make the release again from the same tree of the suite, and go to that one.")
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

    def carry_out(self, plans: Sequence[FilePlan]) -> None:
        """The ledger, and what is missing, in one transaction: all or nothing. Raises Failure with nothing changed.

        From the first file on that is missing and runs outside a transaction, the files that are missing are left to a migration.
        """
        for attempt in attempts():
            file = "the ledger"
            try:
                with self._database.session() as session:
                    begin(session)
                    session.rows(self._database.ledger.create())
                    for each in _at_once(plans):
                        file = each.migration.name
                        self._carry_out(session, each)
                    lacks = self._lacking(session) if len(_at_once(plans)) == len(plans) else []
                    if lacks:
                        raise Failure("SCHEMA_DIFFERS", _STEP, f"the database lacks what the suite needs and cannot make beside what is there: {', '.join(lacks[:8])}",
                                      "write a migration that makes it, or correct the database by hand; nothing was changed.")
                    session.rows("COMMIT")
                    return
            except SqlRefused as found:
                if not is_worth_another(found.error, attempt):
                    raise refused(found.error, file, "MIGRATION_FAILED") from found
            except SessionLost as lost:
                if self._database.applied() is None:
                    raise refused(SqlError(None, "", f"the session with the database was lost: {one_line(str(lost), 400)}"), file, "MIGRATION_FAILED") from lost
                return

    def _carry_out(self, session: Session, plan: FilePlan) -> None:
        # Nobody knows what else was made by hand; whether anything is lacking in the end is asked afterwards.
        codes = {*self._database.tolerated(plan.migration.name), *evidence.ALREADY_THERE}
        met = [note for statement in plan.statements if (note := run_statement(session, statement, codes))]
        settle(session)
        outcome = "adopted" if plan.verdict != "absent" else "tolerated" if met else "applied"
        notes = "; ".join([*([plan.notes] if plan.notes else []), *met])
        session.rows(self._database.ledger.record(plan.migration, breaking=self._database.is_breaking(plan.migration.name), outcome=outcome, notes=notes))

    def _lacking(self, session: Session) -> list[str]:
        """What the suite cannot do without, and the database does not have."""
        present = {object_ for (object_,) in session.rows(_OBJECTS_LINE)}
        return sorted(found for found in self._final if evidence.is_essential(found) and found not in present)

    def _make_reference(self) -> None:
        self._drop_reference()
        self._database.query(f"CREATE DATABASE {_REFERENCE} TEMPLATE template0")
        extensions = self._database.query("SELECT quote_ident(extname), quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
                                          " WHERE extname <> 'plpgsql'")
        with self._database.session(_REFERENCE) as session:
            for name, schema in extensions:
                for sql in (f"CREATE SCHEMA IF NOT EXISTS {schema}", f"CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {schema} CASCADE"):
                    # One that the image has no more is missed where something needs it.
                    session.attempt(sql)

    def _drop_reference(self) -> None:
        self._database.query(f"DROP DATABASE IF EXISTS {_REFERENCE} WITH (FORCE)")

    def _trace(self, files: Sequence[Migration]) -> list[TracedFile]:
        """Every statement by itself, an error undoing it alone as it did on the town's server, and what it changed."""
        try:
            with self._database.session(_REFERENCE) as session:
                session.rows(f"CREATE SCHEMA {_SCHEMA}")
                session.rows(f"CREATE VIEW {_SCHEMA}.now AS {_OBJECTS_LINE}")
                session.rows(f"CREATE TABLE {_SCHEMA}.seen AS SELECT object FROM {_SCHEMA}.now")
                traced = [TracedFile(file, _traces(session, file)) for file in files]
                where = session.rows("SELECT current_database()")
        except (SqlRefused, SessionLost) as error:
            raise Failure("REFERENCE_FAILED", _STEP, one_line(str(error), 400), "look at the database on the server; nothing was changed.") from error
        if where != [[_REFERENCE]]:
            raise Failure("REFERENCE_FAILED", _STEP, f"the files of SQL led to another database ({where})", "look at the database on the server now.")
        return [replace(traced[0], migration=replace(files[0], name=INIT)), *traced[1:]]

    def _objects(self, *words: str) -> list[str]:
        listed = self._database.program("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-A", "-t", *words, "-c", _OBJECTS_LINE)
        if listed.status != 0:
            raise Failure("DATABASE_FAILED", _STEP, program_error(listed.stderr).message, "look at the database on the server.")
        return listed.stdout.splitlines()


def _at_once(plans: Sequence[FilePlan]) -> list[FilePlan]:
    apart = next((index for index, each in enumerate(plans) if each.verdict == "absent" and each.migration.is_autocommit), len(plans))
    return [each for index, each in enumerate(plans) if index < apart or each.verdict != "absent"]


_SEEN = (f"WITH made AS (INSERT INTO {_SCHEMA}.seen SELECT object FROM {_SCHEMA}.now EXCEPT SELECT object FROM {_SCHEMA}.seen RETURNING object),"
         f" former AS (SELECT object FROM {_SCHEMA}.seen EXCEPT SELECT object FROM {_SCHEMA}.now),"
         f" gone AS (DELETE FROM {_SCHEMA}.seen WHERE object IN (SELECT object FROM former) RETURNING object)"
         " SELECT 'made', object FROM made UNION ALL SELECT 'gone', object FROM gone")


def _traces(session: Session, file: Migration) -> tuple[Trace, ...]:
    # Each file had a session of its own.
    for sql in ("RESET SESSION AUTHORIZATION", "RESET ALL"):
        session.rows(sql)
    found = []
    for statement in file.statements or ():
        changed: list[list[str]] = []
        if evidence.is_traced(statement) and session.attempt(statement.text) is None:
            changed = session.rows(_SEEN)
        found.append(Trace(statement, frozenset(each[1] for each in changed if each[0] == "made"), frozenset(each[1] for each in changed if each[0] == "gone")))
    return tuple(found)
