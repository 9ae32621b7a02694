"""The first activation of a server: what one that failed left binds the next one to nothing.

Where no release ever ran every container is made anew. A volume of data goes only when this tool made it, its first data never
came to their end, and nobody has put anything into it since: who holds it is asked. One that gives no answer is set aside.
"""

import json
import shutil
from pathlib import Path

from . import layout, lifecycle
from .compose import Release, configuration, containers, volumes_of
from .database import Database
from .exchange import Say
from .failure import Failure, one_line
from .process import run

_NOTE = layout.STATE / "first.json"
_STEP = "database"
_READY_SECONDS = 60
_STOP_SECONDS = 30


def begin_afresh(release: Release, say: Say) -> None:
    """Raises Failure VOLUME_IN_USE when a half-made volume cannot go."""
    left = [volume for volume in layout.read_json(_NOTE) or [] if _exists(volume)]
    holds = _holds_data(release) if any(map(_content, left)) else False
    found = containers(release["project"])
    lifecycle.stop(_STOP_SECONDS, *found)
    for container in found:
        lifecycle.remove(container)
    if holds:
        end()
        say(_STEP, f"{', '.join(left)} of a first activation that was cut has tables: it stays, and this run goes on with it")
        return
    for volume in left:
        if holds is None:
            _set_aside(volume, say)
        removed = run(["docker", "volume", "rm", volume])
        if removed.status != 0 and _exists(volume):
            raise Failure("VOLUME_IN_USE", _STEP, f"volume {volume} of a first activation that was cut: {one_line(removed.said, 300)}",
                          "look at `docker ps -a --filter volume=…` on the server, then run again.")


def _holds_data(release: Release) -> bool | None:
    """None: nobody can tell, it was cut while it was made, or is of another PostgreSQL."""
    database = Database(dict(release))
    try:
        database.wake(_READY_SECONDS)
        return database.holds_data()
    except Failure:
        return None


def _content(volume: str) -> list[Path]:
    found = run(["docker", "volume", "inspect", "--format", "{{.Mountpoint}}", volume])
    return list(Path(found.stdout.strip()).iterdir()) if found.status == 0 else []


def _set_aside(volume: str, say: Say) -> None:
    content = _content(volume)
    if not content:
        return
    aside = layout.free_place(layout.BACKUPS, f"volume-{volume}")
    aside.mkdir(mode=0o700)
    for entry in content:
        shutil.move(entry, aside / entry.name)
    say(_STEP, f"warning: {volume} of a first activation that was cut does not answer; its content is in {aside}: remove that when nobody has put anything into it")


def note_volumes(release: Release) -> None:
    """Before they are made. One that is there already is somebody's data."""
    described = configuration(release)
    holding = [service for service, rules in release["services"].items() if rules["stateful"]]
    absent = sorted(volume for service in holding for volume in volumes_of(described, service) if not _exists(volume))
    layout.write(_NOTE, json.dumps(absent) + "\n", 0o600)


def end() -> None:
    """The first data are whole."""
    layout.remove(_NOTE)


def _exists(volume: str) -> bool:
    return run(["docker", "volume", "inspect", volume]).status == 0
