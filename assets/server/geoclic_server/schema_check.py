"""Tries a release's init file and migrations on an empty database of the operator's machine, as a server would run them.

`python3 -X utf8 -B -m geoclic_server.schema_check RELEASE_FOLDER CONTAINER`, the password on standard input.
"""

import json
import sys
from pathlib import Path

from . import migrating
from .database import Database
from .failure import Failure, known, one_line
from .migrations import pending


def check(folder: Path, container: str, password: str) -> int:
    """Returns the number of migrations that ran. Raises Failure of the first that does not."""
    database = Database(json.loads((folder / "release.json").read_text()), password)
    database.container = container
    suite = folder / "suite"
    migrating.initialise(database, suite)
    to_run, _altered = pending(database.read_migrations(suite), database.applied() or {})
    for migration in to_run:
        migrating.migrate(database, migration)
    return len(to_run)


def main() -> None:
    folder, container = sys.argv[1:]
    try:
        print(check(Path(folder), container, sys.stdin.readline().strip()))
    except Exception as error:
        failure: Failure = known(error, "migrations")
        print(f"{one_line(failure.cause)} ({failure.code}). {failure.action}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
