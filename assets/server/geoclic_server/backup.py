"""The daily backup: database and photos, verified before any older one may go."""

import argparse
import hashlib
import json
import os
import re
import shutil
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from . import command as frame
from . import layout, maintenance, undo
from .database import Database
from .failure import Failure, known, one_line, say
from .lock import operation
from .process import run
from .retention import before_collapse, expired_backups, free_stamp, reserve, stamp_time
from .session import SessionLost, SqlRefused
from .streams import each_line, forget_cached, rows_in, stream_failure, to_file

_STEP = "backup"
_OUTCOME = layout.STATE / "backup.json"
_PARTIAL = ".partial-"
_TAR_SECONDS = 4 * 3600
_TAR_ATTEMPTS = 3
_DU_SECONDS = 1800
_LOCK_SECONDS = 1800
_LOCK_TIMEOUT = "60s"

# What an extension brings is no data of the town's, and pg_dump leaves it out. ONLY: a partition or heir counts by itself.
_COUNTS = """SELECT n.nspname || '.' || c.relname || E'\t' || (xpath('/row/c/text()',
  query_to_xml(format('SELECT count(*) AS c FROM ONLY %I.%I', n.nspname, c.relname), false, true, '')))[1]
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1"""


def command() -> None:
    frame.main("backup", _options, _work)


def _work(options: frame.Options) -> None:
    back_up(options.client)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "backs up the running release's database and files"


def back_up(client: str) -> Path:
    """The new backup's folder. Raises Failure; the newest older backups stay then."""
    began = datetime.now(timezone.utc)
    try:
        with operation("another backup", _LOCK_SECONDS, _waits, path=layout.STATE / "backup.lock"):
            folder = _make(client, began)
    except Exception as error:
        failure = known(error, _STEP)
        # On a full disk even this may not be written.
        with suppress(OSError):
            _note(began, {"outcome": "failed", "code": failure.code, "cause": one_line(failure.cause, 500)})
        raise failure from error
    _note(began, {"outcome": "succeeded", "folder": folder.name, "bytes": _bytes(folder), **_collapse()})
    return folder


def _waits(who: str) -> None:
    say(_STEP, f"waits for {who}")


def _collapse() -> dict[str, Any]:
    """Rows that fell to less than half are told until a person has looked: the backup of before is kept as long."""
    tables = {name: manifest["database"]["tables"] for name, manifest in complete().items()}
    kept = before_collapse(tables)
    if kept is None:
        return {}
    before, now = (sum(tables[name].values()) for name in (kept, max(tables)))
    say(_STEP, f"warning: {kept} had {before} rows, now there are {now}: it is kept until a person removes it")
    return {"kept": {"folder": kept, "rows": before, "now": now}}


def complete() -> dict[str, dict[str, Any]]:
    """Manifests of all whole backups, by name."""
    found = {}
    for folder in layout.BACKUPS.iterdir():
        manifest = layout.read_json(folder / "manifest.json") if stamp_time(folder.name) else None
        if isinstance(manifest, dict) and all(_size(folder / part["file"]) == part["bytes"] for part in (manifest["database"], manifest["files"])):
            found[folder.name] = manifest
    return found


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


def last_backup() -> dict[str, Any] | None:
    """How the last run ended, and the newest good backup: {outcome, endedAt, …, newest: {folder, createdAt} | None}."""
    outcome = layout.read_json(_OUTCOME)
    # A clock that was ahead has left a name that would be the newest for years.
    latest = datetime.now(timezone.utc) + timedelta(days=1)
    good = sorted(entry.name for entry in layout.BACKUPS.glob("*Z") if (entry / "manifest.json").exists() and (stamp_time(entry.name) or latest) < latest)
    if not isinstance(outcome, dict) and not good:
        return None
    made = stamp_time(good[-1]) if good else None
    newest = {"folder": good[-1], "createdAt": made.isoformat()} if made else None
    return {**(outcome if isinstance(outcome, dict) else {}), "newest": newest}


def _make(client: str, began: datetime) -> Path:
    name = free_stamp(lambda stamp: (layout.BACKUPS / stamp).exists(), began)
    for old in layout.BACKUPS.glob(f"{_PARTIAL}*"):
        shutil.rmtree(old)
    partial = layout.BACKUPS / f"{_PARTIAL}{name}"
    photos = _volume(_running()["adapter"]["files"]["volume"])
    photo_bytes = _used(photos)
    partial.mkdir(mode=0o700)
    try:
        # Photos are only ever added: an activation need not wait until they are packed.
        with operation("the backup", _LOCK_SECONDS, _waits):
            release = _running()
            database = Database(release).attach()
            _make_room(database.size() + photo_bytes)
            # Who changes it has the lock: what a marker says now is so of the whole dump.
            marker = maintenance.opened() if undo.is_held() else None
            tables, begun = _dump(database, partial / "database.dump")
            unfinished = {"release": marker.release if marker else None, "files": begun} if marker or begun else None
        _compare(tables, rows_in(database.container, partial / "database.dump", _STEP))
        files = _archive(photos, partial / "photos.tar.gz")
        manifest = {
            "format": 1,
            "client": client,
            "release": release["id"],
            "suiteVersion": release["version"],
            # Migrations of this release were under way: the running one does not know this schema. Without a release: files that run statement by statement.
            "unfinished": unfinished,
            "createdAt": began.isoformat(),
            "database": {**content(partial / "database.dump"), "tables": tables},
            "files": {**content(partial / "photos.tar.gz"), "count": files},
        }
        layout.write(partial / "manifest.json", json.dumps(manifest, indent=2) + "\n", 0o600)
        layout.publish(partial, layout.BACKUPS / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    if unfinished:
        say(_STEP, f"warning: {told_unfinished(unfinished)}")
    say(_STEP, f"{name}: {len(tables)} tables, {files} files, verified")
    return layout.BACKUPS / name


def told_unfinished(unfinished: dict[str, Any]) -> str:
    what = f"migrations of release {unfinished['release']}" if unfinished["release"] else "migrations"
    files = f", {', '.join(unfinished['files'])} in the midst of the file" if unfinished["files"] else ""
    return f"in this backup {what} are half done{files}"


def _running() -> dict[str, Any]:
    release_id = layout.running_release()
    if release_id is None:
        raise Failure("NOT_ACTIVATED", _STEP, "no release runs here yet", "run `pulumi up` first.")
    return layout.read_release(release_id)


def _used(folder: Path) -> int:
    """Bytes of a folder. du tells the sum also when a file went while it looked (status 1)."""
    used = run(["du", "-sk", "--", str(folder)], timeout=_DU_SECONDS)
    figure = re.match(r"(\d+)\s", used.stdout.strip().splitlines()[-1] + " ") if used.stdout.strip() and used.status in (0, 1) else None
    if figure is None:
        raise Failure("BACKUP_FAILED", _STEP, f"the size of {folder} is not known: {one_line(used.said, 300)}", "look at the disk of the server, then run again.")
    return int(figure[1]) << 10


def _make_room(content_bytes: int) -> None:
    """Removes older backups as far as they may go. Raises Failure DISK_FULL when that is not enough."""
    disk = shutil.disk_usage(layout.BACKUPS)
    needed = content_bytes + reserve(disk.total)
    found = complete()
    kept = before_collapse({name: manifest["database"]["tables"] for name, manifest in found.items()})
    for name in expired_backups({name: _bytes(layout.BACKUPS / name) for name in found}, datetime.now(timezone.utc), free=disk.free, needed=needed,
                                kept=[kept] if kept else []):
        _remove(layout.BACKUPS / name)
        say(_STEP, f"{name} removed: older than 7 days, or its room is needed")
    whole = sorted(complete())
    for folder in layout.BACKUPS.iterdir():
        # What a power cut left of one; two whole ones came since.
        if stamp_time(folder.name) and folder.name not in whole and sum(name > folder.name for name in whole) > 1:
            _remove(folder)
            say(_STEP, f"{folder.name} removed: it is not whole")
    free = shutil.disk_usage(layout.BACKUPS).free
    if free < needed:
        raise Failure("DISK_FULL", _STEP, f"{layout.BACKUPS} has {free >> 20} MiB free, {needed >> 20} MiB may be needed with the reserve",
                      "free space on the server, then start geoclic-backup.service.")


def _remove(folder: Path) -> None:
    """One that is half removed is a partial one, which the next run removes."""
    layout.discard(folder, folder.with_name(f"{_PARTIAL}{folder.name}"))


def _dump(database: Database, target: Path) -> tuple[dict[str, int], list[str]]:
    """Dumps the database. Rows by table, counted in the very snapshot that is dumped, and migrations that were begun and not ended."""
    try:
        with database.session() as session:
            session.rows(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
            session.rows("SET idle_in_transaction_session_timeout = 0")
            session.rows("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            snapshot = session.rows("SELECT pg_export_snapshot()")[0][0]
            tables = {table: int(rows) for table, rows in session.rows(_COUNTS)}
            begun = [name for (name,) in session.rows(database.ledger.begun())] if database.ledger.progress in tables else []
            with database.own_sessions() as application:
                to_file(target, database.words("pg_dump", "-h", "127.0.0.1", "--format=custom", f"--snapshot={snapshot}", f"--lock-wait-timeout={_LOCK_TIMEOUT}",
                                               application=application), step=_STEP, environment=database.environment())
    except (SqlRefused, SessionLost) as error:
        raise Failure("DATABASE_FAILED", _STEP, one_line(str(error), 400), "look at the database's logs on the server, then run again.") from error
    return tables, begun


def _compare(tables: dict[str, int], dumped: dict[str, int]) -> None:
    """Raises Failure BACKUP_UNREADABLE unless the dump has each row that its snapshot had."""
    lacking = [f"{table} {dumped.get(table, 0)} of {rows} rows" for table, rows in tables.items() if dumped.get(table) != rows]
    if lacking:
        raise Failure("BACKUP_UNREADABLE", _STEP, f"the dump differs from the database: {', '.join(lacking[:8])}",
                      "look at the database's logs and the disk of the server, then run again.")


def _volume(name: str) -> Path:
    found = run(["docker", "volume", "inspect", "--format", "{{.Mountpoint}}", name])
    if found.status != 0:
        raise Failure("VOLUME_MISSING", _STEP, found.said, "look at `docker volume ls` on the server.")
    return Path(found.stdout.strip())


def _archive(folder: Path, target: Path) -> int:
    """Packs the photos; the number of files in the archive, as tar reads it back from the disk."""
    attempts = 0
    while True:
        packed = run(["tar", "--numeric-owner", "-C", str(folder), "-czf", str(target), "."], timeout=_TAR_SECONDS, environment={"LC_ALL": "C"})
        attempts += 1
        if packed.status != 1 or attempts == _TAR_ATTEMPTS or not _torn(folder, packed.stderr):
            break
    if packed.status not in (0, 1):
        raise stream_failure(target, _STEP, packed.said)
    os.chmod(target, 0o600)
    layout.sync_tree(target)
    forget_cached(target)
    count = 0

    def take(line: bytes) -> None:
        nonlocal count
        count += not line.endswith(b"/\n")

    listed = each_line(["tar", "-tzf", "-"], take, source=target)
    if listed.status != 0:
        raise Failure("BACKUP_UNREADABLE", _STEP, f"tar does not read {target.name}: {one_line(listed.said, 300)}",
                      "look at the disk of the server, then run again.")
    return count


def _torn(folder: Path, said: str) -> list[str]:
    """Files that changed while tar read them; a folder into which a photo came meanwhile is none."""
    named = re.findall(r"^tar: (.+): file changed as we read it$", said, re.MULTILINE)
    return [name for name in named if not (folder / name).is_dir()]


def content(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _note(began: datetime, outcome: dict[str, Any]) -> None:
    now = datetime.now(timezone.utc)
    layout.write(_OUTCOME, json.dumps({"startedAt": began.isoformat(), "endedAt": now.isoformat(), **outcome}) + "\n", 0o600)
