"""Restores the town's database from one of its backups; what was there stays beside it."""

import argparse

from . import backup, layout
from . import command as frame
from .database import Database
from .failure import Failure, say
from .lock import operation
from .restoration import restore

_STEP = "restore"


def command() -> None:
    frame.main("restore", _options, lambda options: restore_backup(options.backup))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "puts a backup's database in the place of the present one, which is kept under another name; photos are not touched"
    parser.add_argument("backup", help="its folder in shared/backups, e.g. 20261123T020000Z")


def restore_backup(name: str) -> None:
    """Raises Failure BACKUP_UNREADABLE, BUSY, and of the restore; the present database is as it was then."""
    found = backup.complete()
    if name not in found:
        raise Failure("BACKUP_UNREADABLE", _STEP, f"no whole backup {name} in {layout.BACKUPS}, there are: {', '.join(sorted(found)) or 'none'}", "choose one of them.")
    dump = layout.BACKUPS / name / "database.dump"
    if backup.content(dump) != {key: found[name]["database"][key] for key in ("file", "bytes", "sha256")}:
        raise Failure("BACKUP_UNREADABLE", _STEP, f"{dump} is not what its manifest says", "choose another backup, and look at the disk of the server.")
    with operation("a restore", path=layout.STATE / "backup.lock"), operation("a restore"):
        running = layout.running_release()
        if running is None:
            raise Failure("NOT_ACTIVATED", _STEP, "no release runs here", "run `pulumi up` first.")
        restore(Database(layout.read_release(running)).attach(), dump)
    say(_STEP, f"the database is as in {name}")
    if found[name]["release"] != running:
        say(_STEP, f"warning: it is of release {found[name]['release']}, {running} runs: run `pulumi up` now, which brings the migrations that it lacks")
