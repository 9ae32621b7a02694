"""Where things are on a server."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from .failure import Failure
from .retention import free_stamp

ROOT = Path("/opt/geoclic")
RELEASES = ROOT / "releases"
CURRENT = ROOT / "current"
SCRIPTS = ROOT / "server"
SHARED = ROOT / "shared"
ENVIRONMENT = SHARED / "env"
TLS = SHARED / "tls"
ACME = SHARED / "acme"
LOGS = SHARED / "logs"
BACKUPS = SHARED / "backups"
BINDS = SHARED / "binds"
STATIC = SHARED / "static"
PUBLIC = SHARED / "public"
STATE = SHARED / "state"
STATUS = STATE / "releases.json"
PROVEN_ENVIRONMENT = STATE / "env.proven"
RUNNING_ENVIRONMENT = STATE / "env.running"
"""What the running release's containers were made with; `ENVIRONMENT` is what the next ones are made with."""

# What containers write (logs) is root's alone too: a setuid program left there is out of every user's reach.
_FOLDERS = {ROOT: 0o755, RELEASES: 0o755, SHARED: 0o755, TLS: 0o755, ACME: 0o755, BINDS: 0o755,
            STATIC: 0o755, PUBLIC: 0o755, LOGS: 0o700, BACKUPS: 0o700, STATE: 0o700}


def make_folders() -> None:
    for folder, mode in _FOLDERS.items():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(mode)


def write(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Writes a file whole or not at all, durably; it never has more rights than `mode`, not even for a moment."""
    data = content.encode() if isinstance(content, str) else content
    descriptor, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.chmod(partial, mode)
        publish(Path(partial), path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(partial)
        raise


def publish(partial: Path, target: Path) -> None:
    """Gives a file or folder its final name once its content is on disk; durable when this returns.

    A name that is trusted, or replaces one that is, comes by here: after a power cut it has its whole content or is not there.
    """
    sync_tree(partial)
    os.replace(partial, target)
    _sync(target.parent)


def free_place(folder: Path, name: str, ending: str = "") -> Path:
    """`NAME-TIME` in a folder, for what must put nothing in the place of another."""
    def place(stamp: str) -> Path:
        return folder / f"{name}-{stamp}{ending}"
    return place(free_stamp(lambda stamp: os.path.lexists(place(stamp))))


def switch(link: Path, target: Path) -> None:
    """Lets a symbolic link lead to `target`, durably; there is always one."""
    fresh = link.with_name(f".{link.name}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    os.replace(fresh, link)
    _sync(link.parent)


def remove(path: Path) -> None:
    """Takes a file away, durably; one that is not there is as wanted."""
    path.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        _sync(path.parent)


def discard(folder: Path, aside: Path) -> None:
    """Takes a folder away, its name first: what bears that is whole, up to the end. A cut one is left under the other name."""
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(folder, aside)
    _sync(folder.parent)
    shutil.rmtree(aside)


def sync_tree(path: Path) -> None:
    """A file or a folder with all that is in it, on disk when this returns."""
    if path.is_symlink():
        return
    if path.is_dir():
        for entry in path.iterdir():
            sync_tree(entry)
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def release_folder(release: str) -> Path:
    if not re.fullmatch(r"[0-9a-f]{12}", release):
        raise Failure("RELEASE_INVALID", "release", f"got {release!r}, expected 12 characters of 0-9a-f", "give a release's id.")
    return RELEASES / release


def read_release(release: str) -> dict[str, Any]:
    """release.json of a delivered release."""
    path = release_folder(release) / "release.json"
    try:
        value: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Failure("RELEASE_MISSING", "release", f"{path}: {error}", "deliver the release again (`pulumi up`).") from error
    if value.get("format") != 1 or value.get("id") != release:
        raise Failure("RELEASE_BROKEN", "release", f"{path} says id {value.get('id')}, format {value.get('format')}",
                      "remove its folder and deliver it again (`pulumi up`).")
    return value


def kept_breaking() -> set[str]:
    """Names of migrations that any release kept here calls breaking."""
    kept = [read_json(folder / "release.json") for folder in RELEASES.iterdir()] if RELEASES.is_dir() else []
    return {name for release in kept if release for name in release["adapter"]["database"]["breaking"]}


def running_release() -> str | None:
    """Id of the release that `current` points to."""
    try:
        return os.path.basename(os.readlink(CURRENT))
    except OSError:
        return None


def environment_digest() -> str:
    """Tells whether the next containers' environment is another one; empty while there is none."""
    return hashlib.sha256(ENVIRONMENT.read_bytes()).hexdigest() if ENVIRONMENT.exists() else ""


def prove_environment() -> None:
    """Before the gate: what it proves is this one, whatever is written for the next containers meanwhile."""
    write(PROVEN_ENVIRONMENT, ENVIRONMENT.read_bytes(), 0o600)


def take_environment() -> None:
    """The proven one is the running one: done once, by whoever completes the commit."""
    if PROVEN_ENVIRONMENT.exists():
        publish(PROVEN_ENVIRONMENT, RUNNING_ENVIRONMENT)


def running_environment() -> Path:
    """The file with which the running release's configuration is read."""
    return RUNNING_ENVIRONMENT if RUNNING_ENVIRONMENT.exists() else ENVIRONMENT


def read_json(path: Path) -> Any:
    """A JSON file's value; None when it is absent or broken."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
