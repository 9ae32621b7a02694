"""Puts back what an activation that did not come to its commit changed: containers, database, static files, page.

Each part is tried, also when another one failed: a full disk keeps no container from being started.
"""

import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from . import collation, detour, files, layout, lifecycle, maintenance, record, wayback
from .compose import Release, containers, find_container
from .database import Database
from .exchange import Say
from .failure import Failure
from .maintenance import Marker
from .record import Record
from .restoration import restore

_STEP = "undo"
_HEALTHY_SECONDS = 60
_STOP_SECONDS = 30


def is_held() -> bool:
    """The database was changed behind the page by a run that did not come to its commit."""
    marker, noted = maintenance.opened(), record.read()
    is_committed = marker is not None and (marker.release == layout.running_release() or (noted is not None and noted.committed and noted.release == marker.release))
    return marker is not None and marker.dump is not None and not is_committed


def go_back(noted: Record, say: Say, *, with_database: bool = True) -> list[str]:
    """What could not be put back; empty: everything is as noted, the page is gone, and the note too.

    Without `with_database`, where that was changed: the page and what shows it come back, and all else waits for the next activation.
    """
    release = layout.read_release(noted.former or noted.release)
    marker = maintenance.opened()
    way = wayback.WayBack(noted, release, say, is_public=marker is None)
    if is_held() and not with_database:
        way.attempt("services", lambda: lifecycle.stop(_STOP_SECONDS, *lifecycle.writers(release)))
        way.go([service for service, kept in noted.services.items() if kept.stateful or kept.ingress])
        return way.errors
    _containers_and_database(way, noted, release, marker, say)
    if noted.former:
        way.attempt("static files", lambda: files.place_static(release, layout.release_folder(release["id"]) / "suite"))
    say(_STEP, f"as before: {', '.join(way.restored) or 'everything'}")
    if marker and not way.errors:
        way.attempt("maintenance", partial(_end_page, noted, release))
    if not way.errors:
        record.close()
    return way.errors


def _containers_and_database(way: wayback.WayBack, noted: Record, release: Release, marker: Marker | None, say: Say) -> None:
    data = wayback.data(noted)
    is_unsorted = noted.unsorted or wayback.is_exchanged(noted, containers(release["project"]))
    if is_unsorted:
        # On a full disk it cannot be noted, and is done all the same.
        with suppress(OSError):
            record.suspect(noted)
    if marker:
        # Nobody is served: the database first, whole, then those who use it.
        way.go(data)
        if marker.dump:
            way.attempt("database", partial(bring_back, release, Path(marker.dump), say))
    else:
        way.go(wayback.others(noted, containers(release["project"])))
        way.go(data)
    if is_unsorted:
        way.attempt("sorting", lambda: collation.put_right(_started(release), say))
    if marker:
        way.go(wayback.others(noted, containers(release["project"])))


def bring_back(release: Release, dump: Path, say: Say) -> None:
    """The database is as in the dump. What is in it now was never the public's, unless scripts of former days wrote the marker."""
    began = time.monotonic()
    # A service of the release that failed would write into what is brought back, by itself.
    lifecycle.stop(_STOP_SECONDS, *lifecycle.writers(release))
    marker = maintenance.opened()
    restore(_started(release), dump, holds_writes=marker is None or not marker.is_behind_page, tell=say)
    maintenance.brought_back()
    say("restore", f"the database is as in {dump.name}, in {time.monotonic() - began:.1f} s")


def _started(release: Release) -> Database:
    database = Database(dict(release))
    database.start()
    return database


def _end_page(noted: Record, release: Release) -> None:
    """Raises Failure UNHEALTHY while a container is not: nobody is to see that."""
    detour.relearn(release)
    end = time.monotonic() + _HEALTHY_SECONDS
    kept = [(service, identity) for service, each in noted.services.items() for identity in each.containers]
    while sick := [service for service, now in ((service, find_container(identity)) for service, identity in kept) if now is None or not now.is_fine]:
        if time.monotonic() > end:
            raise Failure("UNHEALTHY", _STEP, f"{', '.join(sick)}: not healthy behind the 503 page, which stays", "look at `docker ps -a` on the server.")
        time.sleep(0.5)
    maintenance.end()
