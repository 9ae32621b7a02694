"""Brings a database back from a dump: beside the present one, then in its place, whole or not at all."""

import os
import subprocess
import time
from pathlib import Path

from .database import Database, literal
from .failure import Failure, one_line
from .process import Result

_ATTEMPTS = 10
_STEP = "restore"


def restore(database: Database, dump: Path) -> None:
    """Raises Failure RESTORE_FAILED; the present database is as it was then."""
    name, fresh, former = database.name, f"{database.name}_restored", f"{database.name}_replaced"
    for aside in (fresh, former):
        _need(_sql(database, f'DROP DATABASE IF EXISTS "{aside}" WITH (FORCE)'), dump)
    _need(_sql(database, f'CREATE DATABASE "{fresh}" TEMPLATE template0'), dump)
    words = database.words("pg_restore", "-h", "127.0.0.1", "--exit-on-error", name=fresh)
    with dump.open("rb") as file:
        filled = subprocess.run(words, stdin=file, capture_output=True, text=True, errors="replace", timeout=4 * 3600,
                                env={**os.environ, **database.environment()}, check=False)
    _need(Result(filled.returncode, filled.stdout, filled.stderr), dump)
    # The suite may come back between the two words: again then.
    for attempt in range(1, _ATTEMPTS + 1):
        _sql(database, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {literal(name)}")
        renamed = _sql(database, f'ALTER DATABASE "{name}" RENAME TO "{former}"', f'ALTER DATABASE "{fresh}" RENAME TO "{name}"')
        if renamed.status == 0:
            break
        if attempt == _ATTEMPTS:
            _need(renamed, dump)
        time.sleep(0.2)
    _sql(database, f'DROP DATABASE IF EXISTS "{former}" WITH (FORCE)')


def _sql(database: Database, *commands: str) -> Result:
    single = ["--single-transaction"] if len(commands) > 1 else []
    return database.program("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", *single,
                            *[word for command in commands for word in ("-c", command)], name="postgres")


def _need(result: Result, dump: Path) -> None:
    if result.status != 0:
        raise Failure("RESTORE_FAILED", _STEP, f"{dump}: {one_line(result.said, 400)}", "look at the database on the server; the dump is whole and stays.")
