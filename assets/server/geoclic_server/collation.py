"""Text is sorted by rules of the image's system: another image, other rules, and an index made by the former ones is wrong.

PostgreSQL notes the version of the rules that a database was made with (from PostgreSQL 15 on). Where it is another one than
the image has, every index is rebuilt, before anybody writes by the new rules; the same on the way back.
"""

import json
from collections.abc import Callable

from . import layout
from .database import Database
from .failure import Failure, one_line

_MARKER = layout.STATE / "collation.json"
"""From before the new version is noted until every index is rebuilt by it: the notes alone would lie in between."""
_STEP = "database"
_DIFFERING = """SELECT datname, datcollversion, pg_database_collation_actual_version(oid) FROM pg_database
 WHERE datallowconn AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid) ORDER BY 1"""


def put_right(database: Database, say: Callable[[str, str], None]) -> None:
    """Raises Failure COLLATION_CHANGED when an index cannot be rebuilt."""
    if database.query("SELECT current_setting('server_version_num')::int >= 150000") != [["t"]]:
        return
    differing = database.query(_DIFFERING)
    interrupted = layout.read_json(_MARKER) or []
    names = sorted({name for name, _, _ in differing} | set(interrupted))
    if not names:
        return
    # Databases that are gone since need nothing.
    present = {name for [name] in database.query("SELECT datname FROM pg_database WHERE datallowconn")}
    layout.write(_MARKER, json.dumps(names) + "\n", 0o600)
    versions = "; ".join(f"{name} {noted or 'none'} → {actual or 'none'}" for name, noted, actual in differing) or "it was cut"
    say(_STEP, f"the rules of sorting changed with the image ({versions}): every index is rebuilt")
    for name in names:
        if name in present:
            _rebuild(database, name)
    layout.remove(_MARKER)


def _rebuild(database: Database, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    for words in (["-c", f"ALTER DATABASE {quoted} REFRESH COLLATION VERSION"], ["-c", f"REINDEX DATABASE {quoted}"]):
        done = database.program("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", *words, name=name)
        if done.status != 0:
            raise Failure("COLLATION_CHANGED", _STEP, f"the indexes of {name} cannot be rebuilt by the new rules of sorting: {one_line(done.said, 400)}",
                          "keep the former image (suite.imagesAsOf, or the tag in the compose file), or correct the rows that are named, then run again.")
