"""The 503 page, and the way back of a database that is changed behind it.

The page is on while the file exists that the adapter names: over reboots too, until a run has proven a release healthy.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import layout, town
from .compose import Release, configuration
from .failure import Failure

_MARKER = layout.STATE / "maintenance.json"
_STEP = "maintenance"
_SHOWN_SECONDS = 15


class Page:
    """What the public sees instead of the town. An adapter without one has none."""

    def __init__(self, release: Release, domain: str) -> None:
        named = release["adapter"]["ingress"].get("maintenance")
        described = configuration(release)["services"][release["adapter"]["ingress"]["service"]] if named else {}
        self._flag = on_server(named, described.get("volumes", [])) if named else None
        self._domain, self._path = domain, release["adapter"]["health"]["path"]

    @property
    def exists(self) -> bool:
        return self._flag is not None

    @property
    def is_on(self) -> bool:
        return self._flag is not None and self._flag.exists()

    def show(self) -> None:
        """Returns when the ingress shows it. Raises Failure MAINTENANCE_NOT_SHOWN."""
        if self._flag is None:
            return
        self.put()
        end = time.monotonic() + _SHOWN_SECONDS
        while not self.is_shown():
            if time.monotonic() > end:
                self.hide()
                raise Failure("MAINTENANCE_NOT_SHOWN", _STEP, f"https://{self._domain}{self._path} does not answer 503 while {self._flag} exists",
                              "correct the adapter's ingress.maintenance or the suite's ingress, then run again.")
            time.sleep(0.2)

    def put(self) -> None:
        """As `show`, whatever the ingress makes of it."""
        if self._flag:
            layout.write(self._flag, "")

    def hide(self) -> None:
        if self._flag:
            layout.remove(self._flag)

    def is_shown(self) -> bool:
        try:
            return town.get(self._domain, self._path, 5)[0] == 503
        except OSError:
            return False


def on_server(inside: str, volumes: list[Mapping[str, Any]]) -> Path | None:
    """A path of a container on this server; None when no mounted folder has it."""
    path = Path(inside)
    fitting = [volume for volume in volumes if volume["type"] == "bind" and path.is_relative_to(volume["target"])]
    if not fitting:
        return None
    nearest = max(fitting, key=lambda volume: len(volume["target"]))
    return Path(nearest["source"]) / path.relative_to(nearest["target"])


def open_for(release: str, dump: Path) -> None:
    """From here on a failure, of a later run too, brings the dump back."""
    layout.write(_MARKER, json.dumps({"release": release, "dump": str(dump)}) + "\n", 0o600)


def close() -> None:
    layout.remove(_MARKER)


def opened() -> tuple[str, Path] | None:
    """Release that changes the database, and the dump of before."""
    marker = layout.read_json(_MARKER)
    return (marker["release"], Path(marker["dump"])) if isinstance(marker, dict) else None
