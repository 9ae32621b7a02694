"""Brings a database back from a dump: beside the present one, then in its place, whole or not at all.

The one that it replaces is kept under another name: nothing that people wrote is destroyed here.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path

from . import failure
from .database import Database
from .dump_description import Description, read_description
from .failure import Failure, one_line
from .ledger import literal
from .process import Result, run
from .retention import free_stamp, reserve
from .streams import from_file, pour, verify_dump

_ATTEMPTS = 10
_SECONDS = 600
_STEP = "restore"
_KEPT = re.compile(r"_replaced(_\d{14})?$")
_EMPTY_PATH = b"SELECT pg_catalog.set_config('search_path', '', false);\n"

Tell = Callable[[str, str], None]


def restore(database: Database, dump: Path, *, holds_writes: bool = True, tell: Tell = failure.say) -> None:
    """The database as it was dumped: encoding and locale, owner, rights, comment, settings and statistics too.

    `database`: attached. The present one is kept as `NAME_replaced` until `drop_replaced`; where it `holds_writes` of the
    public, as `NAME_replaced_TIME`, which only people drop. `tell` gets what was not as usual.
    Raises Failure RESTORE_FAILED, DISK_FULL or BACKUP_UNREADABLE; the present database is as it was then.
    """
    verify_dump(database.container, dump, _STEP)
    fresh = _beside(database.name, "_restored")
    if not holds_writes:
        # Of an earlier restore, by whose word the public wrote nothing to it; its room is needed.
        _drop(database, _beside(database.name, "_replaced"))
    check_space(database, dump)
    try:
        described = _describe(database, dump)
        _fill(database, dump, fresh, described, tell)
        _analyze(database, fresh, described, tell)
        kept = _swap(database, dump, fresh, described, holds_writes)
    finally:
        # A half copy would take the room that the town needs.
        _sql(database, f"DROP DATABASE IF EXISTS {_quoted(fresh)} WITH (FORCE);")
    if kept and holds_writes:
        tell(_STEP, f"what was there is kept as database {kept}")


def drop_replaced(database: Database, tell: Tell = failure.say) -> None:
    """The replaced database goes once a release is proven; one that the public wrote to stays for people, and is named."""
    _drop(database, _beside(database.name, "_replaced"))
    for name, size in replaced(database):
        tell(_STEP, f"database {name} ({size >> 20} MiB) is kept from a restore: look at it, then drop it by hand")


def replaced(database: Database) -> list[tuple[str, int]]:
    """Databases that restores have put aside, with their bytes."""
    told = _sql(database, "SELECT datname, pg_database_size(oid) FROM pg_database ORDER BY 1;")
    _need(told, "the list of databases")
    found = [(name, int(size)) for name, size in (line.rsplit("\t", 1) for line in told.stdout.splitlines())]
    return [(name, size) for name, size in found if (match := _KEPT.search(name)) and name == _beside(database.name, match[0])]


def check_space(database: Database, dump: Path | None = None) -> None:
    """A copy of the database must have room beside it, with something left for what the town writes. Raises Failure DISK_FULL."""
    told = _sql(database, "SELECT coalesce((SELECT pg_database_size(oid) FROM pg_database WHERE datname = "
                          f"{literal(database.name)}), 0), current_setting('data_directory');")
    _need(told, "the size of the database")
    size, folder = told.stdout.rstrip("\n").split("\t", 1)
    # Inside, where its volume is, on whatever disk.
    shown = run(["docker", "exec", database.container, "df", "-Pk", folder], timeout=60)
    match = re.search(r"\s(\d+)\s+\d+\s+(\d+)\s+\d+%\s", shown.stdout)
    if shown.status != 0 or not match:
        raise Failure("RESTORE_FAILED", _STEP, f"the free space of the database's disk is not known: {one_line(shown.said, 200)}",
                      "look at the database on the server.")
    total, free = int(match[1]) << 10, int(match[2]) << 10
    needed = max(int(size), dump.stat().st_size if dump else 0) + reserve(total)
    if free < needed:
        raise Failure("DISK_FULL", _STEP, f"the database's disk has {free >> 20} MiB free, a copy beside it needs {needed >> 20} MiB (no space left)",
                      "free space on the server (old backups, logs), then run again.")


def _describe(database: Database, dump: Path) -> Description:
    told = from_file(dump, _program(database, "pg_restore", "--create", "--schema-only", "-f", "-"))
    _need(told, str(dump))
    described = read_description(told.stdout, database.user)
    if described is None or described.name != database.name:
        raise Failure("RESTORE_FAILED", _STEP, f"{dump} is of database {described.name if described else 'unknown'}, expected {database.name}",
                      "choose a dump of this database, made by pg_dump in its custom format.")
    return described


def _fill(database: Database, dump: Path, fresh: str, described: Description, tell: Tell) -> None:
    _create(database, dump, fresh, described)
    strict = from_file(dump, database.words("pg_restore", "-h", "127.0.0.1", "--exit-on-error", name=fresh), environment=database.environment())
    if strict.status == 0:
        return
    if "No space left" in strict.said:
        raise Failure("DISK_FULL", _STEP, f"{dump}: {one_line(strict.said, 300)}", "free space on the server, then run again.")
    # pg_restore works with an empty search_path, on which functions fail that name others without their schema.
    _create(database, dump, fresh, described)
    path = _path(described)
    is_set = False

    def change(line: bytes) -> bytes:
        nonlocal is_set
        if is_set or line != _EMPTY_PATH:
            return line
        is_set = True
        return f"{path}\n".encode()

    loose = pour(_program(database, "pg_restore", "-f", "-"), dump,
                 database.words("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-f", "-", name=fresh), change,
                 environment=database.environment())
    if loose.status != 0:
        _need(strict, str(dump), f"; with the database's own search_path: {_sentence(loose)}")
    tell(_STEP, f"warning: restored with the database's own search_path, since with an empty one: {_sentence(strict)}")


def _drop(database: Database, name: str) -> None:
    _need(_sql(database, f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE);"), f"database {name}")


def _create(database: Database, dump: Path, fresh: str, described: Description) -> None:
    _need(_sql(database, f"DROP DATABASE IF EXISTS {_quoted(fresh)} WITH (FORCE);", f"CREATE DATABASE {_quoted(fresh)} WITH {described.options};"), str(dump))


def _analyze(database: Database, fresh: str, described: Description, tell: Tell) -> None:
    """Without statistics the first queries of the public would be planned blindly."""
    done = run(database.words("psql", "-X", "-q", "-h", "127.0.0.1", "-c", _path(described), "-c", "ANALYZE", name=fresh),
               timeout=3600, environment=database.environment())
    if done.status != 0:
        tell(_STEP, f"warning: no statistics yet: {one_line(done.said, 300)}")


def _path(described: Description) -> str:
    return f"SET search_path TO {described.search_path};" if described.search_path else "RESET search_path;"


def _swap(database: Database, dump: Path, fresh: str, described: Description, holds_writes: bool) -> str:
    """The name of the replaced one; empty where there was none."""
    name, kept = database.name, _free_name(database) if holds_writes else _beside(database.name, "_replaced")
    aside = [
        # In one session with the rename, which then holds back whoever connects again.
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {literal(name)};",
        f"ALTER DATABASE {_quoted(name)} RENAME TO {_quoted(kept)};",
        f"ALTER DATABASE {_quoted(kept)} ALLOW_CONNECTIONS false;",
    ] if _exists(database, name) else []
    words = ["SET statement_timeout = '30s';", "BEGIN;", *aside, f"ALTER DATABASE {_quoted(fresh)} RENAME TO {_quoted(name)};", described.properties, "COMMIT;"]
    attempts = 0
    while True:
        with database.own_sessions() as application:
            swapped = _sql(database, *words, application=application)
        attempts += 1
        # A session that began just before the rename: it is known by now.
        if swapped.status == 0 or attempts == _ATTEMPTS or "55006" not in swapped.stderr:
            break
        time.sleep(0.2)
    # A client that was lost may have been told nothing of a swap that is done.
    if swapped.status != 0 and _exists(database, fresh):
        _need(swapped, str(dump))
    return kept if aside else ""


def _free_name(database: Database) -> str:
    taken = {name for name, _size in replaced(database)}

    def name(stamp: str) -> str:
        return _beside(database.name, f"_replaced_{stamp}")
    return name(free_stamp(lambda stamp: name(stamp) in taken, form="%Y%m%d%H%M%S"))


def _exists(database: Database, name: str) -> bool:
    asked = _sql(database, f"SELECT 1 FROM pg_database WHERE datname = {literal(name)};")
    _need(asked, f"database {name}")
    return asked.stdout.strip() == "1"


def _program(database: Database, *words: str) -> list[str]:
    """One that talks to no database."""
    return ["docker", "exec", "-i", database.container, *words]


def _sql(database: Database, *statements: str, application: str = "") -> Result:
    """Statement by statement in the server's own database; fields are parted by a tab."""
    return run(database.words("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-h", "127.0.0.1", "-f", "-",
                              name="postgres", application=application),
               stdin="\n".join(statements) + "\n", timeout=_SECONDS, environment=database.environment())


def _sentence(result: Result) -> str:
    """The error alone, of much that pg_restore shows around it."""
    found = re.search(r"(?:ERROR|FATAL):\s+(.*)", result.said) or re.search(r"error: (.*)", result.said)
    return found[1] if found else one_line(result.said, 300)


def _need(result: Result, what: str, more: str = "") -> None:
    if result.status != 0:
        raise Failure("RESTORE_FAILED", _STEP, f"{what}: {_sentence(result)}{more}",
                      "look at the database on the server; the dump is whole and stays.")


def _beside(name: str, ending: str) -> str:
    """A name of at most 63 bytes: PostgreSQL would cut a longer one, ending first."""
    return name.encode()[: 63 - len(ending)].decode(errors="ignore") + ending


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
