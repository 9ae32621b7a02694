"""The 503 page, and the way back of a database that is changed behind it.

The page is on while the file exists that the adapter names: over reboots too, until a run has proven a release healthy.
A marker is there before the page and goes after it: a page without one is a leftover. The page goes behind the commit only,
so that what a marker of a release that was not committed brings back never held a word of the public's.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from . import layout, town
from .compose import Release, configuration
from .failure import Failure

_MARKER = layout.STATE / "maintenance.json"
_STEP = "maintenance"
_SHOWN_SECONDS = 15


@dataclass(frozen=True)
class Marker:
    release: str
    """The one that changes the database."""
    dump: str | None
    """The database of before; None while it is not changed yet, and once it is back."""
    page: str | None = None
    """File that switches the page on; None in a marker of scripts that noted none, and took the page off before their commit."""

    @property
    def is_behind_page(self) -> bool:
        """Nobody of the public wrote since its dump."""
        return self.page is not None


class Page:
    """What the public sees instead of the town. An adapter without one has none."""

    def __init__(self, release: Release, domain: str, environment: Path | None = None) -> None:
        named = release["adapter"]["ingress"].get("maintenance")
        described = configuration(release, environment)["services"][release["adapter"]["ingress"]["service"]] if named else {}
        self.flag = on_server(named, described.get("volumes", [])) if named else None
        self._domain, self._path = domain, release["adapter"]["health"]["path"]

    @property
    def exists(self) -> bool:
        return self.flag is not None

    @property
    def is_on(self) -> bool:
        return self.flag is not None and self.flag.exists()

    def show(self) -> None:
        """Returns when the ingress shows it. Raises Failure MAINTENANCE_NOT_SHOWN."""
        if self.flag is None:
            return
        layout.write(self.flag, "")
        end = time.monotonic() + _SHOWN_SECONDS
        while not self.is_shown():
            if time.monotonic() > end:
                raise Failure("MAINTENANCE_NOT_SHOWN", _STEP, f"https://{self._domain}{self._path} does not answer 503 while {self.flag} exists",
                              "correct the adapter's ingress.maintenance or the suite's ingress, then run again.")
            time.sleep(0.2)

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


def begin(release: str, page: Page) -> Marker:
    """Before the page is shown. A marker of this release stays, with the dump that is the way back.

    Raises Failure DEFECT while another release's dump is still to be brought back.
    """
    present = opened()
    if present and present.release == release:
        return present
    if present and present.dump:
        raise Failure("DEFECT", _STEP, f"{present.release} changed the database, which {present.dump} has as it was",
                      "report this: it is brought back before another release changes it.")
    return _write(Marker(release, None, str(page.flag) if page.flag else None))


def hold(dump: Path) -> None:
    """From here on a failure, of a later run too, brings the dump back."""
    _write(replace(_present(), dump=str(dump)))


def brought_back() -> None:
    """The database is as it was; the page goes once the services are too."""
    _write(replace(_present(), dump=None))


def end() -> None:
    """The page is gone, then its marker: what is cut in between is repeated."""
    for flag in flags():
        layout.remove(flag)
    layout.remove(_MARKER)


def flags() -> set[Path]:
    """Files that may switch the page on: as noted, or as the running release has it where scripts of former days noted none."""
    marker, status, running = opened(), layout.read_json(layout.STATUS) or {}, layout.running_release()
    noted = {Path(flag) for flag in (marker.page if marker else None, status.get("page")) if flag}
    if noted or "page" in status or running is None:
        return noted
    flag = Page(layout.read_release(running), "", layout.running_environment()).flag
    return {flag} if flag else set()


def opened() -> Marker | None:
    marker = layout.read_json(_MARKER)
    return Marker(marker["release"], marker.get("dump"), marker.get("page")) if isinstance(marker, dict) else None


def _present() -> Marker:
    marker = opened()
    if marker is None:
        raise Failure("DEFECT", _STEP, f"{_MARKER} is missing", "report this: it is a defect of the tool.")
    return marker


def _write(marker: Marker) -> Marker:
    layout.write(_MARKER, json.dumps(asdict(marker)) + "\n", 0o600)
    return marker
