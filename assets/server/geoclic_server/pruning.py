"""Removes releases and images that are kept too long; never the running release's, the former one's, or one that is on its way."""

import os
import re
import shutil
import time
from pathlib import Path

from . import layout, record
from .compose import Release, images
from .failure import Failure
from .process import run
from .retention import expired_releases, unused_images
from .services import Say

_KEPT_OTHERS = 3
_ROOM_MIB = 3072
"""What the next release may need, with its images."""
_YOUNG_SECONDS = 3600
"""A delivery comes before its activation, and may wait for the one that goes on."""
_STALE_SECONDS = 7 * 86_400
"""Deliveries that were cut, and scripts that no kept release names."""


def prune(release: Release, say: Say) -> None:
    """Others than the running and the former release stay while there is room. What is kept too long is no failure of a release that runs."""
    try:
        for others in range(_KEPT_OTHERS, -1, -1):
            _keep(release, others, say)
            if min(shutil.disk_usage(path).free for path in (layout.ROOT, "/var/lib/docker")) >> 20 >= _ROOM_MIB:
                break
    except (OSError, Failure) as error:
        say("prune", f"warning: {error}")


def _keep(release: Release, others: int, say: Say) -> None:
    known, noted = layout.read_json(layout.STATUS) or {}, record.read()
    # A rename, by which a delivery ends, changes this time alone.
    delivered = {path.name: path.stat().st_ctime for path in layout.RELEASES.iterdir() if re.fullmatch(r"[0-9a-f]{12}", path.name)}
    young = {name for name, completed in delivered.items() if time.time() - completed < _YOUNG_SECONDS}
    kept_anyway = {release["id"], known.get("former"), *young, *((noted.release, noted.former) if noted else ())}
    for name in expired_releases(delivered, kept_anyway, others):
        layout.discard(layout.RELEASES / name, layout.RELEASES / f"{name}.changed")
        say("prune", f"release {name} removed")
    kept = [described for name in os.listdir(layout.RELEASES) if (described := layout.read_json(layout.RELEASES / name / "release.json"))]
    used = [service["image"] for described in kept for service in described["services"].values()]
    for image in unused_images(sorted(images()), release["adapter"]["name"], used):
        # Docker itself refuses to remove one that a container needs.
        run(["docker", "image", "rm", image])
    hashes = {bind["hash"] for described in kept for bind in described["binds"]}
    scripts = {os.path.basename(os.path.realpath(layout.SCRIPTS)), *(described["scripts"] for described in kept)}
    versions = layout.ROOT / "server.d"
    _remove_old([folder for folder in layout.BINDS.iterdir() if folder.name not in hashes], 0)
    # One that is new may be on its way still.
    _remove_old([folder for folder in (versions.iterdir() if versions.is_dir() else ()) if folder.name not in scripts], _STALE_SECONDS)
    _remove_old([folder for folder in layout.RELEASES.iterdir() if folder.name.endswith((".partial", ".changed"))], _STALE_SECONDS)


def _remove_old(folders: list[Path], seconds: float) -> None:
    for folder in folders:
        if time.time() - folder.stat().st_mtime >= seconds:
            shutil.rmtree(folder)
