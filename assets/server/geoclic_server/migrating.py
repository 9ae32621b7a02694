"""Brings a database to a release's schema: the init file, the migrations, and their rows in the ledger.

A COMMIT is sent only when every statement was answered. Whatever ends before leaves nothing; whatever was sent and not answered
is looked up in the ledger.
"""

import time
from collections.abc import Collection, Sequence
from pathlib import Path

from . import layout
from .database import INIT, Database
from .failure import Failure, one_line
from .migrations import Apart, Migration, SqlError, Statement, compare
from .session import Session, SessionLost, SqlRefused

_LOCK = 4_157_019  # Any number; the same for every run.
_LOCK_TIMEOUT = "10s"
# What makes an index beside writers waits for every older transaction, and holds nobody up meanwhile.
_LOCK_TIMEOUT_ALONE = "10min"
_LOCK_NOT_AVAILABLE = "55P03"
_LOCK_ATTEMPTS = 3
_STEP = "migrations"
_ADVICE = {
    "25001": "name the file in the adapter (database.autocommit) or write `-- geoclic: autocommit` in its head; nothing of it was kept.",
    "55P04": "put the ALTER TYPE … ADD VALUE into a file of its own, before this one; nothing of it was kept.",
}


def initialise(database: Database, folder: Path) -> None:
    """The suite's init file and the ledger, in one transaction: all or nothing. Raises Failure INIT_FAILED."""
    init = database.read_init(folder)
    _in_one_transaction(database, init, Migration(INIT, init.sha256, ()), database.ledger.create(), [], "INIT_FAILED")


def migrate(database: Database, migration: Migration, name: str = "") -> str:
    """Runs one migration and writes its row. Returns what was tolerated, empty for nothing. `name`: of its row, where it is not the file's."""
    codes = database.tolerated(migration.name)
    entry = Migration(name or migration.name, migration.sha256, migration.statements)
    if migration.is_autocommit:
        return _one_by_one(database, migration, entry, codes)
    return _in_one_transaction(database, migration, entry, database.ledger.complete(), codes, "MIGRATION_FAILED")


def refuse_older(database: Database, migrations: Sequence[Migration], applied: Collection[str], breaking: Collection[str]) -> None:
    """`breaking`: names that any release kept here calls so. Raises Failure MIGRATION_BREAKING for a release that is too old for this schema."""
    foreign = compare([migration.name for migration in migrations], applied, database.applied_breaking() | set(breaking)).foreign
    if foreign:
        raise Failure("MIGRATION_BREAKING", _STEP, f"the database has {', '.join(foreign)}, which this release lacks and cannot run with",
                      "go to a release that has them; to go back behind them, restore a dump that was made before (docs/runbooks/restore.md). "
                      "Where a newer release left such a file out, put it back: it is not run again.")


def apart(database: Database, folder: Path) -> Apart:
    """What a database lacks of the release in this folder, and the other way round. Raises Failure DATABASE_FOREIGN, DATABASE_FAILED."""
    applied = database.applied()
    if applied is None:
        raise no_ledger()
    return compare(database.migration_names(folder), applied, database.applied_breaking() | layout.kept_breaking())


def no_ledger() -> Failure:
    return Failure("DATABASE_FOREIGN", "database", "it has tables but no ledger of migrations",
                   "neither this tool nor the one before it made it: look at the database and at /opt/geoclic on the server.")


def begin(session: Session) -> None:
    """A transaction that changes the schema."""
    for sql in ("BEGIN", f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'", f"SELECT FROM pg_advisory_xact_lock({_LOCK})"):
        session.rows(sql)


def run_statement(session: Session, statement: Statement, codes: Collection[str]) -> str:
    """Inside a transaction; an error of these SQLSTATEs undoes the statement alone. Returns it, empty for none. Raises SqlRefused."""
    if not codes:
        _must(session.attempt(statement.text), statement)
        return ""
    session.rows("SAVEPOINT geoclic_fleet")
    error = session.attempt(statement.text)
    if error is None:
        session.rows("RELEASE SAVEPOINT geoclic_fleet")
        return ""
    if error.sqlstate not in codes:
        raise SqlRefused(error.within(statement))
    session.rows("ROLLBACK TO SAVEPOINT geoclic_fleet")
    return f"line {statement.line}: {error.sqlstate}"


def settle(session: Session) -> None:
    """Takes back what a file may have set for its session, before the tool's own words."""
    for sql in ("RESET SESSION AUTHORIZATION", "RESET ROLE", "RESET search_path"):
        session.rows(sql)


def refused(error: SqlError, name: str, code: str) -> Failure:
    told = error.describe(name)
    if error.sqlstate == _LOCK_NOT_AVAILABLE:
        return Failure("MIGRATION_LOCKED", _STEP, f"{told}: another transaction held a lock for {_LOCK_TIMEOUT}, {_LOCK_ATTEMPTS} times",
                       "run again at a quiet hour; nothing of this file was kept.")
    if error.sqlstate == "53100":
        return Failure("DISK_FULL", _STEP, told, "free space on the server, then run again; nothing of this file was kept.")
    return Failure(code, _STEP, told, _ADVICE.get(error.sqlstate, "correct the file in the suite; it ran in one transaction, nothing of it was kept."))


def is_worth_another(error: SqlError, attempt: int) -> bool:
    """Waits a moment then."""
    if error.sqlstate != _LOCK_NOT_AVAILABLE or attempt == _LOCK_ATTEMPTS:
        return False
    time.sleep(3)
    return True


def attempts() -> range:
    return range(1, _LOCK_ATTEMPTS + 1)


def _in_one_transaction(database: Database, file: Migration, entry: Migration, before: str, codes: Collection[str], code: str) -> str:
    for attempt in attempts():
        try:
            with database.session() as session:
                begin(session)
                session.rows(before)
                transaction = session.rows("SELECT txid_current()")
                notes = [note for each in _statements(file) if (note := run_statement(session, each, codes))]
                if session.rows("SELECT txid_current()") != transaction:
                    raise Failure(code, _STEP, f"{file.name} ended the transaction that it ran in; what it changed before that may have been kept",
                                  "take the words out that do so (COMMIT, ROLLBACK, also inside CALL), and look at the database.")
                settle(session)
                session.rows(database.ledger.record(entry, breaking=database.is_breaking(entry.name), outcome="tolerated" if notes else "applied", notes="; ".join(notes)))
                session.rows("COMMIT")
                return "; ".join(notes)
        except SqlRefused as found:
            if not is_worth_another(found.error, attempt):
                raise refused(found.error, file.name, code) from found
        except SessionLost as lost:
            # The answer to COMMIT may be all that is missing.
            if _is_recorded(database, entry):
                return ""
            raise Failure(code, _STEP, f"{file.name}: the session with the database was lost: {one_line(str(lost), 400)}",
                          "look at the database's logs on the server, then run again; it ran in one transaction, nothing of it was kept.") from lost
    raise AssertionError("the last attempt returns or raises")


def _is_recorded(database: Database, entry: Migration) -> bool:
    return (database.applied() or {}).get(entry.name) == entry.sha256


def _one_by_one(database: Database, file: Migration, entry: Migration, codes: Collection[str]) -> str:
    """Each statement is kept by itself, and so is how far the file came: the next run goes on behind it."""
    statements = _statements(file)
    done, notes = 0, []
    try:
        with database.session() as session:
            session.rows(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
            session.rows(f"SELECT FROM pg_advisory_lock({_LOCK})")
            session.rows(database.ledger.complete())
            session.rows(database.ledger.create_progress())
            done, is_begun = _progress(database, session, file, entry)
            if done or is_begun:
                notes.append(f"went on from line {statements[done].line}" if done < len(statements) else "every statement had been run")
            for number in range(done, len(statements)):
                note = _keep(database, session, entry, number, statements[number], codes, is_begun and number == done)
                notes += [note] if note else []
                done = number + 1
            begin(session)
            session.rows(database.ledger.record(entry, breaking=database.is_breaking(entry.name), outcome="tolerated" if notes else "applied", notes="; ".join(notes)))
            session.rows(database.ledger.forget_progress(entry))
            session.rows("COMMIT")
    except SqlRefused as found:
        raise _stopped(found.error.describe(file.name), statements, done) from found
    except SessionLost as lost:
        if not _is_recorded(database, entry):
            raise _stopped(f"{file.name}: the session with the database was lost: {one_line(str(lost), 400)}", statements, done) from lost
    return "; ".join(notes)


def _stopped(cause: str, statements: Sequence[Statement], done: int) -> Failure:
    kept = "none of its statements is kept" if not done else f"its {done} statements before line {statements[done].line} are kept" if done < len(statements) else "its statements are kept"
    return Failure("MIGRATION_STOPPED", _STEP, f"{cause}; {kept}, for it runs outside a transaction",
                   "leave what is kept as it reads, correct the rest where needed, and run again: it goes on there.")


def _progress(database: Database, session: Session, file: Migration, entry: Migration) -> tuple[int, bool]:
    """How many statements an earlier run has kept, and whether it had begun the next one."""
    found = session.rows(database.ledger.read_progress(entry))
    if not found:
        return 0, False
    done, is_begun, prefix = int(found[0][0]), found[0][1] == "t", found[0][2]
    if prefix != file.prefix(done):
        raise Failure("MIGRATION_STOPPED", _STEP, f"{file.name} was run up to its statement {done}, and those {done} read otherwise now",
                      "bring their former text back and change only what comes behind it; new work belongs into a new file.")
    return done, is_begun


def _keep(database: Database, session: Session, entry: Migration, number: int, statement: Statement, codes: Collection[str], is_unsure: bool) -> str:
    """Runs a statement so that it and the progress are kept together, or so that one that may have been run is known as such."""
    note = f"line {statement.line}: run again, for the run before was cut in it" if is_unsure else ""
    for attempt in attempts():
        try:
            if not statement.is_alone:
                begin(session)
                tolerated = run_statement(session, statement, codes)
                settle(session)
                session.rows(database.ledger.note_progress(entry, number + 1, is_begun=False))
                session.rows("COMMIT")
                return tolerated
            if is_unsure and statement.index and _is_made(session, statement.index):
                note, error = f"line {statement.line}: {statement.index} was there already, whole", None
            else:
                session.rows(database.ledger.note_progress(entry, number, is_begun=True))
                session.rows(f"SET lock_timeout = '{_LOCK_TIMEOUT_ALONE}'")
                error = session.attempt(statement.text)
                session.rows(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
            if error and error.sqlstate not in codes:
                raise SqlRefused(error.within(statement))
            settle(session)
            session.rows(database.ledger.note_progress(entry, number + 1, is_begun=False))
            return f"line {statement.line}: {error.sqlstate}" if error else note
        except SqlRefused as found:
            session.attempt("ROLLBACK")
            is_unsure = statement.is_alone
            if not is_worth_another(found.error, attempt):
                raise
    raise AssertionError("the last attempt returns or raises")


def _is_made(session: Session, index: str) -> bool:
    """Of an index that a cut run began: whether it is whole. An invalid one, which nobody can use, is dropped."""
    quoted = "'" + index.replace("'", "''") + "'"
    found = session.rows(f"SELECT indisvalid, indexrelid::regclass FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname = {quoted}")
    for is_valid, name in found:
        if is_valid == "f":
            session.rows(f"DROP INDEX CONCURRENTLY {name}")
    return any(is_valid == "t" for is_valid, _ in found)


def _statements(file: Migration) -> tuple[Statement, ...]:
    """Raises Failure RELEASE_OLD for a release whose statements nobody read."""
    if file.statements is None:
        raise Failure("RELEASE_OLD", _STEP, f"{file.name}: this release was made by an earlier version of the tool and does not tell the statements of its files",
                      "make the release again from the same tree of the suite, and go to that one.")
    return file.statements


def _must(error: SqlError | None, statement: Statement) -> None:
    if error:
        raise SqlRefused(error.within(statement))
