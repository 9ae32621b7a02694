"""Demonstration data, once, in one transaction, where the adapter allows it."""

import argparse

from . import command as frame
from . import layout, migrating
from .database import Database
from .failure import Failure, say
from .lock import operation

NAME = "(demo)"
"""Name of its row in the ledger of migrations."""
_STEP = "demo"


def command() -> None:
    frame.main("demo", _options, lambda _options: load())


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "loads the suite's demonstration data, unless it was loaded before"


def load() -> None:
    """Raises Failure NOT_ACTIVATED, DEMO_REFUSED, of the database."""
    release_id = layout.running_release()
    if release_id is None:
        raise Failure("NOT_ACTIVATED", _STEP, "no release runs here yet", "run `pulumi up` first.")
    release = layout.read_release(release_id)
    demo = release["adapter"]["demo"]
    if not demo["allowed"]:
        raise Failure("DEMO_REFUSED", _STEP, "the adapter does not allow demonstration data", "see `demo` of the suite's adapter.")
    with operation("demonstration data", 60):
        database = Database(release).attach()
        if NAME in (database.applied() or {}):
            say(_STEP, "it was loaded before")
            return
        found = database.read(layout.release_folder(release_id) / "suite", demo["file"])
        migrating.migrate(database, found, NAME)
    say(_STEP, "loaded")
