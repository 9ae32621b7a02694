"""The suite's database: ready or not, dumped, asked. The password goes by the environment only."""

import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import environment, layout
from .compose import compose, container_of, containers, find_container, last_lines
from .failure import Failure, one_line
from .ledger import Ledger, literal
from .migrations import Migration, ordered, program_error, read_migration
from .process import Result, run
from .retention import reserve
from .session import Session
from .streams import to_file, verify_dump

INIT = "(init)"
"""Name of the init file's row in the ledger."""
_STEP = "database"
_PSQL = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose")
# Messages are read, so they are not translated; strings are read as the parser read them when the release was made.
_OPTIONS = "-c lc_messages=C -c standard_conforming_strings=on"
_APPLICATION = "geoclic-fleet"
_SQL = f"{_APPLICATION} sql"
"""Begin of the name of every session that changes something, under the lock of operations."""
_SECONDS = 3600
_END_SECONDS = 60
# A program whose limit was passed, that Docker lost, or that was killed.
_LOST = (124, 125, 137)

_TABLES = """select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"""


class Database:
    """The database of a release, in its running container."""

    def __init__(self, release: dict[str, Any], password: str | None = None) -> None:
        """`password`: of a database that is not this server's."""
        self._release = release
        self._adapter = release["adapter"]["database"]
        self.name: str = self._adapter["name"]
        self.user: str = self._adapter["user"]
        self.ledger = Ledger(self._adapter["ledger"])
        self._password = password if password is not None else environment.read(layout.ENVIRONMENT.read_text()).get("DB_PASSWORD", "")
        # By path in the suite; None in a release that was made before they were told.
        self._told: dict[str, Any] | None = (release.get("sql") or {}).get("files")
        self.container = ""

    def start(self, seconds: int = 120) -> None:
        """Starts the service alone where it does not run, and waits until a query over TCP is answered.

        While the image's entry point sets a database up, only its socket answers: TCP means that it is whole.
        """
        self.wake(seconds)
        # Its own loopback may be trusted; under its name in the network it wants the password, as from the API.
        self._await(self._adapter["service"], 10)
        # A run that was killed may have left one that goes on, with its locks.
        self.end_sessions(_SQL)

    def wake(self, seconds: int) -> None:
        """As `start`, whatever its password is."""
        service = self._adapter["service"]
        started = self._start(service)
        if started.status != 0:
            raise Failure("DATABASE_NOT_STARTED", _STEP, one_line(started.said, 400), f"look at `docker logs` of {service} on the server.")
        self.container = container_of(self._release["project"], service)
        self._await("127.0.0.1", seconds)

    def _start(self, service: str) -> Result:
        """Never two on one folder of data: where several are there after an interruption, the one that ran last."""
        own = [one for one in containers(self._release["project"]) if one.service == service]
        if any(one.is_running for one in own):
            return Result(0, "", "")
        if own:
            return run(["docker", "start", max(own, key=lambda one: one.started).id])
        return compose(self._release, "up", "-d", "--no-build", "--no-deps", "--no-recreate", "--pull", "never", service)

    def attach(self) -> "Database":
        """For reading: the container that runs."""
        self.container = container_of(self._release["project"], self._adapter["service"])
        return self

    def _await(self, host: str, seconds: int) -> None:
        end = time.monotonic() + seconds
        while (answer := self._run(*_PSQL, "-h", host, "-c", "select 1", timeout=15)).status != 0:
            # Before the session's options count, in the server's language.
            if re.search("password authentication failed|authentification par mot de passe", answer.stderr):
                raise Failure("DATABASE_PASSWORD", _STEP, f"the database refuses the password of {layout.ENVIRONMENT}",
                              "its volume was made with another one: restore the stack's state or the server's own secrets.")
            if time.monotonic() > end:
                said = one_line(last_lines(self.container, 8), 800)
                raise Failure("DATABASE_NOT_READY", _STEP, f"no answer over TCP within {seconds} s: {program_error(answer.stderr).message}; its last lines: {said}",
                              "look at `docker logs` of the database on the server.")
            time.sleep(0.4)

    def query(self, sql: str, name: str = "") -> list[list[str]]:
        """Rows of a query, on the suite's database or another one of the same server. Raises Failure DATABASE_FAILED."""
        answer = self.program(*_PSQL, "-h", "127.0.0.1", "-A", "-t", "-F", "\t", "-c", sql, name=name)
        if answer.status != 0:
            raise Failure("DATABASE_FAILED", _STEP, program_error(answer.stderr).message, "look at the database on the server.")
        return [line.split("\t") for line in answer.stdout.splitlines()]

    def is_empty(self) -> bool:
        """No table of the suite's; what the system or an extension brings does not count."""
        return self.query(_TABLES) == [["0"]]

    def holds_data(self) -> bool:
        """A table of anybody's, or a database that somebody made."""
        others = f"select datname from pg_database where not datistemplate and datname not in ('postgres', {literal(self.name)})"
        return not self.is_empty() or self.query(_TABLES, "postgres") != [["0"]] or bool(self.query(others))

    def size(self) -> int:
        """Bytes."""
        return int(self.query("select pg_database_size(current_database())")[0][0])

    def applied(self) -> dict[str, str] | None:
        """sha256 by migration; None when there is no ledger."""
        if self.query(f"select to_regclass({literal(self.ledger.table)}) is not null") != [["t"]]:
            return None
        return {name: sha256 for name, sha256 in self.query(f"select name, sha256 from {self.ledger.table}")}

    def applied_breaking(self) -> set[str]:
        """Those of the ledger that a release without them cannot run with, as far as it was written down."""
        return {name for (name,) in self.query(self.ledger.breaking())}

    def forget_ledger(self) -> None:
        """After an adoption that was taken back: somebody else may migrate until the next one, which looks afresh."""
        for sql in self.ledger.drop():
            self.query(sql)

    def is_breaking(self, name: str) -> bool:
        return name in self._adapter["breaking"]

    def tolerated(self, name: str) -> list[str]:
        """SQLSTATEs that a file may meet."""
        return list(self._adapter["tolerate"].get(name, []))

    def read_init(self, folder: Path) -> Migration:
        return self.read(folder, self._adapter["init"])

    def read_migrations(self, folder: Path) -> list[Migration]:
        """The release's migrations, in their order."""
        return [self.read(folder, f"{self._adapter['migrations']}/{name}") for name in self.migration_names(folder)]

    def migration_names(self, folder: Path) -> list[str]:
        path, told = self._adapter["migrations"], self._told
        if told is None:
            names = [file.name for file in (folder / path).glob("*.sql") if file.is_file()]
        else:
            names = [Path(each).name for each in told if Path(each).parent == Path(path) and each != self._adapter["init"]]
        return ordered(names, self._adapter["first"])

    def read(self, folder: Path, path: str) -> Migration:
        """A file of SQL of the release, by its path in the suite. Raises Failure MIGRATION_UNREADABLE."""
        told = self._told
        try:
            return read_migration(Path(path).name, (folder / path).read_bytes(), None if told is None else told[path])
        except KeyError as error:
            raise Failure("MIGRATION_UNREADABLE", "migrations", f"{path}: release.json does not tell its statements", "make the release again.") from error
        except (OSError, ValueError) as error:
            raise Failure("MIGRATION_UNREADABLE", "migrations", f"{path}: {error}", "deliver the release again; a file of SQL is UTF-8.") from error

    def dump(self, path: Path, step: str) -> int:
        """A dump in pg_dump's custom format, verified by pg_restore. Returns its bytes; nothing is left when it fails."""
        disk = shutil.disk_usage(path.parent)
        needed, free = self.size() + reserve(disk.total), disk.free
        if free < needed:
            raise Failure("DISK_FULL", step, f"{path.parent} has {free >> 20} MiB free, a dump may need {needed >> 20} MiB (no space left)",
                          "free space on the server (old backups), or take a larger one, then run again.")
        partial = path.with_name(f".{path.name}.partial")
        try:
            with self.own_sessions() as application:
                to_file(partial, self.words("pg_dump", "-h", "127.0.0.1", "--format=custom", application=application), step=step,
                        environment=self.environment())
            verify_dump(self.container, partial, step)
            layout.publish(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        return path.stat().st_size

    @contextmanager
    def session(self, name: str = "") -> Iterator[Session]:
        """One psql that is told a statement at a time, on the suite's database or another one. Nothing of it goes on afterwards.

        Raises what Session does; Failure SESSION_LEFT when what it ran could not be ended.
        """
        application = _name(_SQL)
        words = self.words(*_PSQL, "-v", "ON_ERROR_STOP=0", "-A", "-t", "-F", "\t", "-h", "127.0.0.1", name=name, application=application)
        session = Session(words, self.environment(), _SECONDS)
        try:
            # A bit less than this side waits, so that PostgreSQL itself ends what takes too long.
            session.rows(f"SET statement_timeout = '{_SECONDS - 60}s'")
            yield session
        finally:
            if not session.close():
                self.end_sessions(application)

    @contextmanager
    def own_sessions(self) -> Iterator[str]:
        """A name for the sessions of a program (`words`). Its end is no end of what it began in the container: here that is ended too.

        Raises Failure SESSION_LEFT.
        """
        application = _name(_APPLICATION)
        try:
            yield application
        finally:
            self.end_sessions(application)

    def end_sessions(self, application: str) -> None:
        """Ends the sessions whose name begins so, and waits until they are gone. Raises Failure SESSION_LEFT."""
        of_them = f"FROM pg_stat_activity WHERE starts_with(application_name, {literal(application)})"
        end, problem = time.monotonic() + _END_SECONDS, ""
        while True:
            asked = self._run(*_PSQL, "-h", "127.0.0.1", "-A", "-t", "-c", f"SELECT count(pg_terminate_backend(pid)) {of_them}", name="postgres")
            if asked.status == 0 and asked.stdout.strip() == "0":
                return
            problem = f"{asked.stdout.strip()} of them go on" if asked.status == 0 else program_error(asked.stderr).message
            found = None if asked.status == 0 else find_container(self.container)
            if asked.status != 0 and found is not None and not found.is_running:
                return
            if time.monotonic() > end:
                raise Failure("SESSION_LEFT", _STEP, f"what runs in the database under the name {application} could not be ended within {_END_SECONDS} s: {problem}",
                              "look at pg_stat_activity on the server; run again when nothing of that name is left.")
            time.sleep(0.2)

    def _run(self, *words: str, timeout: float = 60, name: str = "", application: str = "") -> Result:
        return run(self.words(*words, name=name, application=application), timeout=timeout, environment=self.environment())

    def program(self, *words: str, name: str = "") -> Result:
        """One of PostgreSQL's programs, on the suite's database or another one of the same server; nothing of it goes on afterwards."""
        application = _name(_APPLICATION)
        end = self._run(*words, timeout=_SECONDS, name=name, application=application)
        if end.status in _LOST or end.status < 0:
            self.end_sessions(application)
        return end

    def words(self, program: str, *words: str, name: str = "", application: str = _APPLICATION) -> list[str]:
        """Command line of a program in the container. `application`: the name of its sessions, see `own_sessions`."""
        settings = {"PGCLIENTENCODING": "UTF8", "LC_ALL": "C", "PGOPTIONS": _OPTIONS, "PGAPPNAME": application or _APPLICATION}
        given = [word for key, value in settings.items() for word in ("-e", f"{key}={value}")]
        return ["docker", "exec", "-i", "-e", "PGPASSWORD", *given, self.container, program, "-U", self._adapter["user"], "-d", name or self.name, *words]

    def environment(self) -> dict[str, str]:
        return {"PGPASSWORD": self._password}


def _name(begin: str) -> str:
    return f"{begin} {secrets.token_hex(8)}"
