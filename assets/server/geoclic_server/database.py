"""The suite's database: ready or not, dumped, initialised and migrated. The password goes by the environment only."""

import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import environment, layout
from .compose import compose, container_of, containers, last_lines
from .failure import Failure, one_line
from .migrations import Migration, SqlError, Statement, ordered, psql_error, read_migration, statements, without_transaction_control
from .process import Result, run
from .retention import reserve
from .streams import to_file, verify_dump

INIT = "(init)"
"""Name of the init file's row in the ledger."""
_LOCK = 4_157_019  # Any number; the same for every run.
_LOCK_TIMEOUT = "10s"
_LOCK_NOT_AVAILABLE = "55P03"
_LOCK_ATTEMPTS = 3
_TOOL = "geoclic-fleet 1"
OUTCOME_BY_NOTES = ("CASE :'notes' WHEN '' THEN 'applied' ELSE 'tolerated' END", "rtrim(:'notes', '; ')")
_STEP = "database"
_PSQL = ("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose")


class Database:
    """The database of a release, in its running container."""

    def __init__(self, release: dict[str, Any], password: str | None = None) -> None:
        """`password`: of a database that is not this server's."""
        self._release = release
        self._adapter = release["adapter"]["database"]
        self.name: str = self._adapter["name"]
        self.user: str = self._adapter["user"]
        self._ledger: str = self._adapter["ledger"]
        self._password = password if password is not None else environment.read(layout.ENVIRONMENT.read_text()).get("DB_PASSWORD", "").strip("'")
        self.container = ""

    def start(self, seconds: int = 120) -> None:
        """Starts the service alone where it does not run, and waits until a query over TCP is answered.

        While the image's entry point sets a database up, only its socket answers: TCP means that it is whole.
        """
        service = self._adapter["service"]
        started = self._start(service)
        if started.status != 0:
            raise Failure("DATABASE_NOT_STARTED", _STEP, one_line(started.said, 400), f"look at `docker logs` of {service} on the server.")
        self.container = container_of(self._release["project"], service)
        self._await("127.0.0.1", seconds)
        # Its own loopback may be trusted; under its name in the network it wants the password, as from the API.
        self._await(service, 10)

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
            if "password authentication failed" in answer.stderr:
                raise Failure("DATABASE_PASSWORD", _STEP, f"the database refuses the password of {layout.ENVIRONMENT}",
                              "its volume was made with another one: restore the stack's state or the server's own secrets.")
            if time.monotonic() > end:
                said = one_line(last_lines(self.container, 8), 800)
                raise Failure("DATABASE_NOT_READY", _STEP, f"no answer over TCP within {seconds} s: {psql_error(answer.stderr).message}; its last lines: {said}",
                              "look at `docker logs` of the database on the server.")
            time.sleep(0.4)

    def query(self, sql: str) -> list[list[str]]:
        """Rows of a query. Raises Failure DATABASE_FAILED."""
        answer = self.psql("-A", "-t", "-F", "\t", "-c", sql)
        if answer.status != 0:
            raise Failure("DATABASE_FAILED", _STEP, psql_error(answer.stderr).message, "look at the database on the server.")
        return [line.split("\t") for line in answer.stdout.splitlines()]

    def is_empty(self) -> bool:
        """No table of the suite's; what the system or an extension brings does not count."""
        return self.query(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where c.relkind in ('r', 'p') and n.nspname <> 'information_schema' and n.nspname !~ '^pg_'"
            " and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"
        ) == [["0"]]

    def size(self) -> int:
        """Bytes."""
        return int(self.query("select pg_database_size(current_database())")[0][0])

    def applied(self) -> dict[str, str] | None:
        """sha256 by migration; None when there is no ledger."""
        if self.query(f"select to_regclass('public.{self._ledger}') is not null") != [["t"]]:
            return None
        return {name: sha256 for name, sha256 in self.query(f"select name, sha256 from {self._ledger}")}

    def forget_ledger(self) -> None:
        """After an adoption that was taken back: somebody else may migrate until the next one, which looks afresh."""
        self.query(f"DROP TABLE IF EXISTS {self._ledger}")

    def initialise(self, folder: Path) -> None:
        """The suite's init file and the ledger, in one transaction: all or nothing."""
        init = self.read_init(folder)
        self._in_one_transaction(init.sql, init.name, "INIT_FAILED", before=[self.create_ledger()],
                                 after=self.record(Migration(INIT, init.sql)))

    def read_init(self, folder: Path) -> Migration:
        return self._read(folder / self._adapter["init"])

    def read_migrations(self, folder: Path) -> list[Migration]:
        """The release's migrations, in their order."""
        path = folder / self._adapter["migrations"]
        names = [file.name for file in path.glob("*.sql") if file.is_file()]
        return [self._read(path / name) for name in ordered(names, self._adapter["first"])]

    def migrate(self, migration: Migration) -> str:
        """Runs one migration and writes its row in the same transaction. Returns what was tolerated, empty for nothing."""
        tolerated = self._adapter["tolerate"].get(migration.name, [])
        if tolerated:
            return self._migrate_tolerating(migration, tolerated)
        sql = without_transaction_control(migration.sql)
        self._in_one_transaction(sql, migration.name, "MIGRATION_FAILED", before=[], after=self.record(migration))
        return ""

    def dump(self, path: Path, step: str) -> int:
        """A dump in pg_dump's custom format, verified by pg_restore. Returns its bytes; nothing is left when it fails."""
        disk = shutil.disk_usage(path.parent)
        needed, free = self.size() + reserve(disk.total), disk.free
        if free < needed:
            raise Failure("DISK_FULL", step, f"{path.parent} has {free >> 20} MiB free, a dump may need {needed >> 20} MiB (no space left)",
                          "free space on the server (old backups), or take a larger one, then run again.")
        partial = path.with_name(f".{path.name}.partial")
        try:
            to_file(partial, self.words("pg_dump", "-h", "127.0.0.1", "--format=custom"), step=step, environment=self.environment())
            verify_dump(self.container, partial, step)
            layout.publish(partial, path)
        finally:
            partial.unlink(missing_ok=True)
        return path.stat().st_size

    def _in_one_transaction(self, sql: str, name: str, code: str, *, before: list[str], after: str) -> None:
        """Settings, `before`, the file on standard input (whose lines psql counts), `after`."""
        first = [word for text in [self.settings(), *before] for word in ("-c", text)]
        for attempt in range(1, _LOCK_ATTEMPTS + 1):
            end = self.psql("--single-transaction", *first, "-f", "-", "-c", after, stdin=sql)
            if end.status == 0:
                return
            error = psql_error(end.stderr)
            if error.sqlstate != _LOCK_NOT_AVAILABLE or attempt == _LOCK_ATTEMPTS:
                raise self.refused(error, name, code)
            time.sleep(3)

    def _migrate_tolerating(self, migration: Migration, codes: list[str]) -> str:
        """Statement by statement in one transaction; an error of a tolerated code undoes its statement alone."""
        script = ["\\set ON_ERROR_STOP off", "\\set notes ''", "BEGIN;", self.settings()]
        for statement in statements(migration.sql):
            if not statement.is_transaction_control:
                script += guarded(statement, codes)
        script += [self.record(migration, *OUTCOME_BY_NOTES), "\\if :ERROR", "ROLLBACK;", "\\quit", "\\endif",
                   "COMMIT;", "\\echo committed :notes"]
        end = self.psql("-f", "-", stdin="\n".join(script) + "\n")
        said = end.stdout.splitlines()
        refused = read_refused(said)
        if refused:
            raise self.refused(refused, migration.name, "MIGRATION_FAILED")
        done = next((line for line in said if line.startswith("committed")), None)
        if done is None:
            raise self.refused(psql_error(end.stderr), migration.name, "MIGRATION_FAILED")
        return done.removeprefix("committed").strip().rstrip(";")

    def refused(self, error: SqlError, name: str, code: str) -> Failure:
        if error.sqlstate == _LOCK_NOT_AVAILABLE:
            return Failure("MIGRATION_LOCKED", "migrations", f"{error.describe(name)}: another transaction held a lock for {_LOCK_TIMEOUT}, {_LOCK_ATTEMPTS} times",
                           "run again at a quiet hour; nothing of this file was kept.")
        if error.sqlstate == "53100":
            return Failure("DISK_FULL", "migrations", error.describe(name), "free space on the server, then run again; nothing of this file was kept.")
        return Failure(code, "migrations", error.describe(name), "correct the file in the suite; it ran in one transaction, nothing of it was kept.")

    def _read(self, path: Path) -> Migration:
        try:
            return read_migration(path.name, path.read_bytes())
        except (OSError, UnicodeDecodeError) as error:
            raise Failure("MIGRATION_UNREADABLE", "migrations", f"{path.name}: {error}", "correct the file in the suite (UTF-8 is expected).") from error

    @staticmethod
    def settings() -> str:
        """First of a transaction that changes the schema."""
        # A block, so that nothing is printed.
        return f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'; DO $$ BEGIN PERFORM pg_advisory_xact_lock({_LOCK}); END $$;"

    def create_ledger(self) -> str:
        """SQL."""
        return (f"CREATE TABLE {self._ledger} (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL"
                " DEFAULT now(), duration_ms integer NOT NULL, outcome text NOT NULL, notes text NOT NULL, tool_version text NOT NULL)")

    def record(self, entry: Migration, outcome: str = "'applied'", notes: str = "''") -> str:
        """The ledger's row; `outcome` and `notes` are SQL expressions."""
        duration = "(extract(epoch from clock_timestamp() - transaction_timestamp()) * 1000)::integer"
        values = ", ".join([literal(entry.name), literal(entry.sha256), duration, outcome, notes, literal(_TOOL)])
        return f"INSERT INTO {self._ledger} (name, sha256, duration_ms, outcome, notes, tool_version) VALUES ({values});"

    def psql(self, *words: str, stdin: str | None = None) -> Result:
        """As the suite's user, over TCP."""
        return self._run(*_PSQL, "-h", "127.0.0.1", *words, stdin=stdin, timeout=3600)

    def _run(self, *words: str, stdin: str | None = None, timeout: float = 60) -> Result:
        return run(self.words(*words), stdin=stdin, timeout=timeout, environment=self.environment())

    def program(self, *words: str, name: str) -> Result:
        """One of PostgreSQL's programs, on another database of the same server."""
        return run(self.words(*words, name=name), timeout=3600, environment=self.environment())

    def words(self, program: str, *words: str, name: str = "") -> list[str]:
        return ["docker", "exec", "-i", "-e", "PGPASSWORD", "-e", "PGCLIENTENCODING=UTF8", self.container, program,
                "-U", self._adapter["user"], "-d", name or self.name, *words]

    def environment(self) -> dict[str, str]:
        return {"PGPASSWORD": self._password}


def guarded(statement: Statement, codes: Sequence[str]) -> list[str]:
    """Lines for psql, inside a transaction: an error of these codes undoes the statement alone and is noted in `notes`; any other undoes all and ends."""
    allowed = ", ".join(map(literal, codes)) or "NULL"
    return [
        "SAVEPOINT geoclic;", statement.text, ";",
        "\\if :ERROR", "ROLLBACK TO SAVEPOINT geoclic;",
        f"SELECT coalesce(:'LAST_ERROR_SQLSTATE' IN ({allowed}), false) AS is_tolerated \\gset",
        "\\if :is_tolerated", f"\\set notes :notes 'line {statement.line}: ' :LAST_ERROR_SQLSTATE '; '",
        "\\else", f"\\echo refused {statement.line} :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE", "ROLLBACK;", "\\quit", "\\endif",
        "\\else", "RELEASE SAVEPOINT geoclic;", "\\endif",
    ]


def read_refused(said: Sequence[str]) -> SqlError | None:
    """The error that ended guarded statements."""
    found = next((match for line in said if (match := re.fullmatch(r"refused (\d+) (\S+) (.*)", line))), None)
    return SqlError(int(found[1]), found[2], found[3]) if found else None


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
