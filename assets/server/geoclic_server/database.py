"""The suite's database: ready or not, dumped, initialised and migrated. Passwords go by the environment only."""

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from . import environment, layout, migrations
from .compose import compose, container_of, last_lines
from .failure import Failure
from .process import Result, run

INIT = "(init)"
_LOCK = 4_157_019  # Any number; the same for every run.
_LOCK_TIMEOUT = "10s"
_TOOL = "geoclic-fleet 1"
_STEP = "database"


class Database:
    """The database of a release, in its running container."""

    def __init__(self, release: dict[str, Any]) -> None:
        self._release = release
        self._adapter = release["adapter"]["database"]
        self._ledger = self._adapter["ledger"]
        self._password = environment.read(layout.ENVIRONMENT.read_text()).get("DB_PASSWORD", "").strip("'")
        self.container = ""

    def start(self, seconds: int = 120) -> None:
        """Starts the service alone where it does not run, and waits until a query over TCP is answered."""
        service = self._adapter["service"]
        started = compose(self._release, "up", "-d", "--no-build", "--no-recreate", "--pull", "never", service)
        if started.status != 0:
            raise Failure("DATABASE_NOT_STARTED", _STEP, started.said, "look at `docker logs` of the database.")
        self.container = container_of(self._release["project"], service)
        end = time.monotonic() + seconds
        while (answer := self.query("select 1")).status != 0:
            if time.monotonic() > end:
                raise Failure("DATABASE_NOT_READY", _STEP,
                              f"no answer over TCP within {seconds} s ({answer.said}); {last_lines(self.container, 8)}",
                              "look at `docker logs` of the database.")
            time.sleep(0.5)

    def query(self, sql: str, timeout: float = 60) -> Result:
        """Rows as tab-separated lines."""
        return self._exec("psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-c", sql, timeout=timeout)

    def is_empty(self) -> bool:
        """No table of the suite's; what an extension brings does not count."""
        rows = self.query(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public'"
            " and c.relkind in ('r', 'p') and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')"
        )
        if rows.status != 0:
            raise Failure("DATABASE_FAILED", _STEP, rows.said, "look at the database on the server.")
        return rows.stdout.strip() == "0"

    def applied(self) -> dict[str, str] | None:
        """sha256 by migration; None when there is no ledger."""
        exists = self.query(f"select to_regclass('public.{self._ledger}') is not null")
        if exists.status != 0:
            raise Failure("DATABASE_FAILED", _STEP, exists.said, "look at the database on the server.")
        if exists.stdout.strip() != "t":
            return None
        rows = self.query(f"select name, sha256 from {self._ledger}")
        return dict(line.split("\t") for line in rows.stdout.splitlines() if "\t" in line)

    def initialise(self, suite: Path) -> None:
        """The suite's init file and the ledger, in one transaction: all or nothing."""
        path = suite / self._adapter["init"]
        sql = path.read_text()
        entry = migrations.Migration(INIT, sql)
        end = self._script(sql, before=[self._create_ledger()], after=[self._record(entry, "applied", "")])
        self._need(end, path.name, "INIT_FAILED")

    def read_migrations(self, suite: Path) -> list[migrations.Migration]:
        """The release's migrations, in their order."""
        path = suite / self._adapter["migrations"]
        names = [file.name for file in path.glob("*.sql")]
        return [migrations.Migration(name, (path / name).read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
                for name in migrations.ordered(names, self._adapter["first"])]

    def migrate(self, migration: migrations.Migration) -> str:
        """Runs one migration and writes its row in the same transaction. Returns what was tolerated."""
        tolerated = self._adapter["tolerate"].get(migration.name)
        if tolerated:
            return self._migrate_tolerating(migration, tolerated)
        sql = migrations.masked_transaction(migration.sql)
        end = self._script(sql, before=[], after=[self._record(migration, "applied", "")])
        self._need(end, migration.name, "MIGRATION_FAILED")
        return ""

    def _migrate_tolerating(self, migration: migrations.Migration, codes: list[str]) -> str:
        allowed = ", ".join(f"'{code}'" for code in codes)
        lines = ["\\set ON_ERROR_ROLLBACK on", "\\set VERBOSITY terse", "BEGIN;", self._settings()]
        for line, statement in migrations.without_own_transaction(migration.sql):
            lines += [
                statement, ";",
                "\\if :ERROR", "\\set state :SQLSTATE", "\\set message :LAST_ERROR_MESSAGE",
                f"select :'state' in ({allowed}) as is_tolerated \\gset",
                "\\if :is_tolerated", f"\\warn geoclic-tolerated line {line}: :state",
                "\\else", f"\\warn geoclic-refused {line} :state :message", "ROLLBACK;", "\\quit", "\\endif",
                "\\endif",
            ]
        lines += [self._record(migration, "tolerated", ", ".join(codes)), "COMMIT;"]
        end = self._exec("psql", "-X", "-q", "-f", "-", stdin="\n".join(lines), timeout=3600)
        refused = re.search(r"geoclic-refused (\d+) (\S+) (.*)", end.stderr)
        if refused:
            raise Failure("MIGRATION_FAILED", "migrations",
                          f"{migration.name}:{refused.group(1)}: ERROR: {refused.group(3)} ({refused.group(2)})",
                          "correct the migration; nothing of it was kept.")
        if end.status != 0 or migration.name not in (self.applied() or {}):
            raise Failure("MIGRATION_FAILED", "migrations", f"{migration.name}: {migrations.psql_failure(end.stderr)}",
                          "correct the migration; nothing of it was kept.")
        return "; ".join(re.findall(r"geoclic-tolerated (.*)", end.stderr))

    def dump(self, path: Path) -> int:
        """A dump in pg_dump's custom format, verified by pg_restore. Returns its bytes; nothing is left when it fails."""
        partial = path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                partial.chmod(0o600)
                end = subprocess.run(self._words("pg_dump", "--format=custom"), stdout=file, stderr=subprocess.PIPE,
                                     env=self._environment(), timeout=3600, check=False)
            if end.returncode != 0:
                raise Failure("DUMP_FAILED", "dump", end.stderr.decode(errors="replace"), "look at the database and the disk.")
            with partial.open("rb") as file:
                listed = subprocess.run(["docker", "exec", "-i", self.container, "pg_restore", "--list"], stdin=file,
                                        capture_output=True, timeout=600, check=False)
            if listed.returncode != 0 or b"TABLE" not in listed.stdout:
                raise Failure("DUMP_FAILED", "dump", f"pg_restore cannot read it: {listed.stderr.decode(errors='replace')}",
                              "look at the database and the disk.")
            partial.rename(path)
            return path.stat().st_size
        finally:
            partial.unlink(missing_ok=True)

    def row_counts(self) -> dict[str, int]:
        """Rows by table, exact."""
        names = self.query("select quote_ident(tablename) from pg_tables where schemaname = 'public' order by 1").stdout.split()
        return {name: int(self.query(f"select count(*) from {name}", timeout=600).stdout or 0) for name in names}

    def _script(self, sql: str, before: list[str], after: list[str]) -> Result:
        """One transaction: settings, `before`, the file on standard input (whose lines psql counts), `after`."""
        words = [word for text in [self._settings(), *before] for word in ("-c", text)]
        words += ["-f", "-", *[word for text in after for word in ("-c", text)]]
        return self._exec("psql", "-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", *words, stdin=sql, timeout=3600)

    def _need(self, end: Result, name: str, code: str) -> None:
        if end.status != 0:
            cause = migrations.psql_failure(end.stderr).replace("<stdin>", name)
            raise Failure(code, "migrations", cause if name in cause else f"{name}: {cause}",
                          "correct the file; it ran in one transaction, nothing of it was kept.")

    @staticmethod
    def _settings() -> str:
        # A DO block, so that nothing is printed.
        return f"set local lock_timeout = '{_LOCK_TIMEOUT}'; do $$ begin perform pg_advisory_xact_lock({_LOCK}); end $$;"

    def _create_ledger(self) -> str:
        return (f"create table {self._ledger} (name text primary key, sha256 text not null, applied_at timestamptz not null"
                " default now(), duration_ms integer not null, outcome text not null, notes text not null, tool_version text not null)")

    def _record(self, entry: migrations.Migration, outcome: str, notes: str) -> str:
        # The transaction's own clock: the row is written by the same run of psql that did the work.
        duration = "extract(milliseconds from clock_timestamp() - transaction_timestamp())::integer"
        values = ", ".join([_literal(entry.name), _literal(entry.sha256), duration, _literal(outcome), _literal(notes), _literal(_TOOL)])
        return f"insert into {self._ledger} (name, sha256, duration_ms, outcome, notes, tool_version) values ({values});"

    def _exec(self, *words: str, stdin: str | None = None, timeout: float = 60) -> Result:
        return run(self._words(*words), stdin=stdin, timeout=timeout, environment=self._environment())

    def _words(self, program: str, *words: str) -> list[str]:
        connection = ["-h", "127.0.0.1", "-U", self._adapter["user"], "-d", self._adapter["name"]]
        return ["docker", "exec", "-i", "-e", "PGPASSWORD", self.container, program, *connection, *words]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PGPASSWORD": self._password}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
