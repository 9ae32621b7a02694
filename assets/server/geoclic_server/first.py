"""The first activation of a server: what one that failed left binds the next one to nothing.

Where no release ever ran every container is made anew. A volume of data goes only when this tool made it and its first data
never came to their end: that is noted before it is made, and the note ends before any service could write.
"""

import json

from . import layout, lifecycle
from .compose import Release, configuration, containers, volumes_of
from .failure import Failure, one_line
from .process import run

_NOTE = layout.STATE / "first.json"
_STEP = "database"


def begin_afresh(release: Release) -> None:
    """Raises Failure VOLUME_IN_USE when a half-made volume cannot go."""
    for container in containers(release["project"]):
        lifecycle.remove(container)
    for volume in layout.read_json(_NOTE) or []:
        removed = run(["docker", "volume", "rm", volume])
        if removed.status != 0 and _exists(volume):
            raise Failure("VOLUME_IN_USE", _STEP, f"volume {volume} of a first activation that was cut: {one_line(removed.said, 300)}",
                          "look at `docker ps -a --filter volume=…` on the server, then run again.")


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
