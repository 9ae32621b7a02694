"""The daily backup: database and photos, verified, kept 7 days. It is on the server's own disk: no cure for a lost server."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from . import command as frame
from . import files, layout
from .compose import container_of
from .database import Database
from .failure import Failure, say

_KEPT_DAYS = 7
_FORMAT = "%Y%m%dT%H%M%SZ"
_STEP = "backup"


def command() -> None:
    frame.main("backup", lambda _parser: None, lambda _options: make())


def make() -> None:
    """Raises Failure; an older backup is removed only after a good new one."""
    release = layout.running_release()
    if release is None:
        raise Failure("NO_RELEASE", _STEP, "no release runs here yet", "activate one first (`pulumi up`).")
    described = layout.read_release(release)
    files.check_space()
    layout.make_folders()
    for leftover in layout.BACKUPS.glob("*.partial"):
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    now = datetime.now(timezone.utc)
    partial = layout.BACKUPS / f"{now:{_FORMAT}}.partial"
    partial.mkdir(mode=0o700)
    try:
        manifest = _fill(partial, described, now)
        layout.write(partial / "manifest.json", json.dumps(manifest, indent=1) + "\n", 0o600)
        partial.rename(layout.BACKUPS / f"{now:{_FORMAT}}")
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    for name in expired([path.name for path in layout.BACKUPS.iterdir() if path.is_dir()], now):
        shutil.rmtree(layout.BACKUPS / name)
    say(_STEP, f"{now:{_FORMAT}}: {manifest['database']['bytes']} bytes of database, {manifest['photos']['files']} photos")


def _fill(folder: Path, release: dict[str, Any], now: datetime) -> dict[str, Any]:
    database = Database(release)
    database.start()
    rows = database.row_counts()
    dump, photos = folder / "database.dump", folder / "photos.tar.gz"
    database.dump(dump)
    _archive(release, photos)
    with tarfile.open(photos, "r:gz") as archive:
        count = sum(member.isfile() for member in archive)
    return {
        "madeAt": now.isoformat(timespec="seconds"), "release": release["id"], "rows": rows,
        "database": {"file": dump.name, "bytes": dump.stat().st_size, "sha256": _sha256(dump)},
        "photos": {"file": photos.name, "bytes": photos.stat().st_size, "sha256": _sha256(photos), "files": count},
    }


def _archive(release: dict[str, Any], path: Path) -> None:
    """The photos as the service sees them, through no pipe whose failure could hide."""
    described = release["adapter"]["files"]
    container = container_of(release["project"], described["service"])
    with path.open("wb") as file:
        path.chmod(0o600)
        end = subprocess.run(["docker", "exec", container, "tar", "-C", described["path"], "-cz", "."], stdout=file,
                             stderr=subprocess.PIPE, timeout=7200, check=False)
    if end.returncode != 0:
        raise Failure("BACKUP_FAILED", _STEP, f"photos: {end.stderr.decode(errors='replace')}", "look at the disk and the service.")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def expired(names: Sequence[str], now: datetime) -> list[str]:
    """Names of backups older than 7 days; the newest is never among them."""
    made = sorted((time, name) for name in names if (time := made_at(name)))
    return [name for time, name in made[:-1] if time < now - timedelta(days=_KEPT_DAYS)]


def made_at(name: str) -> datetime | None:
    try:
        return datetime.strptime(name, _FORMAT).replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def last() -> str | None:
    """When the newest whole backup was made, ISO 8601."""
    if not layout.BACKUPS.exists():
        return None
    made = [time for path in layout.BACKUPS.iterdir() if (time := made_at(path.name)) and (path / "manifest.json").exists()]
    return max(made).isoformat() if made else None

