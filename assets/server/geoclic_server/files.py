"""Files of a release in their places: configuration by content, static pages in place, log folders."""

import filecmp
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from . import layout
from .compose import configuration
from .failure import Failure
from .process import run

# Set by the suite's maintenance mode, no part of a release.
_MAINTENANCE = ".maintenance"


def place_binds(release: dict[str, Any], folder: Path) -> None:
    """Puts each configuration in its place, named by its content; what is there and is not that content is mended."""
    for bind in release["binds"]:
        target, source = Path(bind["target"]), folder / bind["source"]
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        _remove(partial)
        if source.is_dir():
            shutil.copytree(source, partial)
            for name, text in bind["files"].items():
                (partial / name).write_text(text)
        else:
            shutil.copyfile(source, partial)
        if target.is_dir():
            # Within the folder, which a container may have mounted.
            mirror(partial, target, set())
            layout.sync_tree(target)
        elif not target.exists() or not filecmp.cmp(partial, target, shallow=False):
            layout.publish(partial, target)
        _remove(partial)


def place_static(release: dict[str, Any], folder: Path) -> None:
    """Makes the served folders equal to the release's; a file that is equal keeps its time, a changed one is new."""
    kept = {_MAINTENANCE, Path(release["adapter"]["ingress"].get("maintenance", _MAINTENANCE)).name}
    for static in release["static"]:
        target = Path(static["target"])
        target.mkdir(parents=True, exist_ok=True)
        mount_points = static["mountPoints"]
        mirror(folder / static["source"], target, {*mount_points, *kept})
        for name in mount_points:
            (target / name).mkdir(parents=True, exist_ok=True)
    # They are many, and compared at the next activation only: all at once on disk before a release counts as running.
    os.sync()


def mirror(source: Path, target: Path, kept: set[str]) -> None:
    """`kept`: names at the top that are not touched."""
    wanted = {entry.name for entry in os.scandir(source)} - kept
    for entry in os.scandir(target):
        if entry.name not in wanted and entry.name not in kept:
            _remove(Path(entry.path))
    for name in sorted(wanted):
        origin, copy = source / name, target / name
        if origin.is_dir() and not origin.is_symlink():
            if copy.is_symlink() or not copy.is_dir():
                _remove(copy)
                copy.mkdir()
            mirror(origin, copy, set())
        elif copy.is_dir() or not copy.exists() or not filecmp.cmp(origin, copy, shallow=False):
            if copy.is_dir():
                _remove(copy)
            descriptor, partial = tempfile.mkstemp(dir=target, prefix=f".{name}.")
            with open(descriptor, "wb") as file, origin.open("rb") as content:
                shutil.copyfileobj(content, file)
            os.chmod(partial, 0o644)
            os.replace(partial, copy)


def place_logs(release: dict[str, Any]) -> None:
    """Each log folder belongs to the user that its service runs as."""
    for service, described in configuration(release)["services"].items():
        sources = [Path(volume["source"]) for volume in described.get("volumes", []) if volume["type"] == "bind"]
        for folder in sources:
            if folder.is_relative_to(layout.LOGS) and not folder.exists():
                owner = _owner(release["services"][service]["image"])
                partial = folder.with_name(f".{folder.name}.partial")
                partial.mkdir(parents=True, exist_ok=True)
                os.chown(partial, *owner)
                layout.publish(partial, folder)


def _owner(image: str) -> tuple[int, int]:
    """User and group that an image's program runs as."""
    if not run(["docker", "image", "inspect", "--format", "{{.Config.User}}", image]).stdout.strip():
        return 0, 0
    asked = run(["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", "id -u; id -g"], timeout=60)
    numbers = asked.stdout.split()
    if asked.status != 0 or len(numbers) != 2:
        raise Failure("IMAGE_UNFIT", "preflight", f"{image} does not tell its user: {asked.said}", "correct the image in the suite.")
    return int(numbers[0]), int(numbers[1])


def check_space(step: str, needed_mib: int = 300) -> None:
    """Raises Failure DISK_FULL."""
    for path in (str(layout.ROOT), "/var/lib/docker", "/"):
        free = shutil.disk_usage(path).free // 2**20
        if free < needed_mib:
            raise Failure("DISK_FULL", step, f"{path} has {free} MiB free, {needed_mib} are needed (no space left)",
                          "free space (old backups, logs) or take a larger server, then run again.")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
