"""Restores the town's database from one of its backups; what was there stays beside it."""

import argparse
from typing import Any

from . import backup, layout, maintenance, migrating
from . import command as frame
from .database import Database
from .failure import Failure, say
from .lock import operation
from .restoration import restore

_STEP = "restore"


def command() -> None:
    frame.main("restore", _options, lambda options: restore_backup(options.backup, options.client, is_unfinished=options.unfinished))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "puts a backup's database in the place of the present one, which is kept under another name; photos are not touched"
    parser.add_argument("--unfinished", action="store_true", help="also one in which the migrations of another release are half done")
    parser.add_argument("backup", help="its folder in shared/backups, e.g. 20261123T020000Z")


def restore_backup(name: str, client: str, *, is_unfinished: bool = False) -> None:
    """Raises Failure BACKUP_FOREIGN, BACKUP_UNREADABLE, BACKUP_UNFINISHED, BUSY, and of the restore; the present database is as it was then."""
    found = backup.complete()
    if name not in found:
        raise Failure("BACKUP_UNREADABLE", _STEP, f"no whole backup {name} in {layout.BACKUPS}, there are: {', '.join(sorted(found)) or 'none'}", "choose one of them.")
    if found[name]["client"] != client:
        raise Failure("BACKUP_FOREIGN", _STEP, f"{name} is a backup of {found[name]['client']}, not of {client}",
                      "correct --client, or choose another backup; nothing was changed.")
    dump = layout.BACKUPS / name / "database.dump"
    if backup.content(dump) != {key: found[name]["database"][key] for key in ("file", "bytes", "sha256")}:
        raise Failure("BACKUP_UNREADABLE", _STEP, f"{dump} is not what its manifest says", "choose another backup, and look at the disk of the server.")
    with operation("a restore", path=layout.STATE / "backup.lock"), operation("a restore"):
        running = layout.running_release()
        if running is None:
            raise Failure("NOT_ACTIVATED", _STEP, "no release runs here", "run `pulumi up` first.")
        unfinished: dict[str, Any] | None = found[name].get("unfinished")
        is_of_another = unfinished is not None and unfinished["release"] not in (None, running)
        if unfinished and is_of_another and not is_unfinished:
            raise Failure("BACKUP_UNFINISHED", _STEP, f"{backup.told_unfinished(unfinished)}, and {running} runs, which does not know that schema",
                          f"choose another backup, or go to release {unfinished['release']} first; `--unfinished` restores it all the same.")
        database = Database(layout.read_release(running)).attach()
        restore(database, dump)
        if maintenance.opened() and not is_of_another:
            # The way back is walked: a later run must not bring back the dump of a run that was cut in the place of this one.
            maintenance.brought_back()
        say(_STEP, f"the database is as in {name}")
        fix = f"once the town is up again, `geoclic-fleet drift --client {client} --fix` on the operator's machine"
        if unfinished:
            say(_STEP, f"warning: {backup.told_unfinished(unfinished)}: {'run `pulumi up` with that release, which' if is_of_another else f'{fix},'} goes on with them")
        _tell_apart(database, running, fix)


def _tell_apart(database: Database, running: str, fix: str) -> None:
    """The restore is done, whatever is told here; the monitor and `drift` tell it until it is put right."""
    try:
        apart = migrating.apart(database, layout.release_folder(running) / "suite")
    except Failure as failure:
        say(_STEP, f"warning: whether it is on the schema of {running}, which runs, is not known: {failure.cause}")
        return
    if apart.lacking:
        say(_STEP, f"warning: it lacks {', '.join(apart.lacking)} of {running}, which runs: {fix}, brings them")
    if apart.foreign:
        say(_STEP, f"warning: it has {', '.join(apart.foreign)}, which {running} lacks and cannot run with: update to a release that has them")
