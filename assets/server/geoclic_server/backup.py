"""The daily backup: database and photos, verified before any older one may go."""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any

from . import command as frame
from . import layout
from .compose import container_of
from .failure import Failure, known, one_line, say
from .lock import operation
from .process import run
from .retention import STAMP, expired_backups, stamp_time
from .streams import stream_failure, to_file, verify_dump

_STEP = "backup"
_OUTCOME = layout.STATE / "backup.json"
_PARTIAL = ".partial-"
_TAR_SECONDS = 4 * 3600
_LOCK_SECONDS = 1800

_COUNTS = """SELECT table_schema || '.' || table_name || E'\\t' || (xpath('/row/c/text()',
  query_to_xml(format('SELECT count(*) AS c FROM %I.%I', table_schema, table_name), false, true, '')))[1]
  FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
  ORDER BY 1;
"""


def command() -> None:
    frame.main("backup", _options, _work)


def _work(options: frame.Options) -> None:
    back_up(options.client)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "backs up the running release's database and files"


def back_up(client: str) -> Path:
    """The new backup's folder. Raises Failure; what older backups there are stays then."""
    began = datetime.now(timezone.utc)
    try:
        with operation("the backup", _LOCK_SECONDS, lambda who: say(_STEP, f"waits for {who}")):
            folder = _make(client, began)
    except Exception as error:
        failure = known(error, _STEP)
        # On a full disk even this may not be written.
        with suppress(OSError):
            _note(began, {"outcome": "failed", "code": failure.code, "cause": one_line(failure.cause, 500)})
        raise failure from error
    _note(began, {"outcome": "succeeded", "folder": folder.name, "bytes": sum(file.stat().st_size for file in folder.iterdir())})
    for name in expired_backups([entry.name for entry in layout.BACKUPS.iterdir()], began):
        shutil.rmtree(layout.BACKUPS / name)
        say(_STEP, f"{name} removed, older than 7 days")
    return folder


def last_backup() -> dict[str, Any] | None:
    """How the last run ended, and the newest good backup: {outcome, endedAt, …, newest: {folder, createdAt} | None}."""
    outcome = layout.read_json(_OUTCOME)
    good = sorted(entry.name for entry in layout.BACKUPS.glob("*Z") if (entry / "manifest.json").exists() and stamp_time(entry.name))
    if not isinstance(outcome, dict) and not good:
        return None
    made = stamp_time(good[-1]) if good else None
    newest = {"folder": good[-1], "createdAt": made.isoformat()} if made else None
    return {**(outcome if isinstance(outcome, dict) else {}), "newest": newest}


def _make(client: str, began: datetime) -> Path:
    release_id = layout.running_release()
    if release_id is None:
        raise Failure("NOT_ACTIVATED", _STEP, "no release runs here yet", "run `pulumi up` first.")
    release = layout.read_release(release_id)
    adapter = release["adapter"]
    name = began.strftime(STAMP)
    for old in layout.BACKUPS.glob(f"{_PARTIAL}*"):
        shutil.rmtree(old)
    partial = layout.BACKUPS / f"{_PARTIAL}{name}"
    partial.mkdir(mode=0o700)
    try:
        container = container_of(release["project"], adapter["database"]["service"])
        photos = _volume(adapter["files"]["volume"])
        _check_space(container, adapter["database"], photos)
        tables = _dump(container, adapter["database"], partial / "database.dump")
        files = _archive(photos, partial / "photos.tar.gz")
        manifest = {
            "format": 1,
            "client": client,
            "release": release_id,
            "suiteVersion": release["version"],
            "createdAt": began.isoformat(),
            "database": {**content(partial / "database.dump"), "tables": tables},
            "files": {**content(partial / "photos.tar.gz"), "count": files},
        }
        layout.write(partial / "manifest.json", json.dumps(manifest, indent=2) + "\n", 0o600)
        os.rename(partial, layout.BACKUPS / name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    say(_STEP, f"{name}: {len(tables)} tables, {files} files, verified")
    return layout.BACKUPS / name


def _check_space(container: str, database: dict[str, Any], photos: Path) -> None:
    asked = run(["docker", "exec", container, "psql", "-XAtq", "-U", database["user"], "-d", database["name"],
                 "-c", f"SELECT pg_database_size('{database['name']}')"])
    if asked.status != 0:
        raise Failure("DATABASE_FAILED", _STEP, asked.said, "look at the database's logs on the server.")
    used = run(["du", "-sk", "--", str(photos)], timeout=1800)
    needed = int(asked.stdout) + int(used.stdout.split()[0]) * 1024 if used.status == 0 else int(asked.stdout)
    free = shutil.disk_usage(layout.BACKUPS).free
    if free < needed:
        raise Failure("DISK_FULL", _STEP, f"{layout.BACKUPS} has {free >> 20} MiB free, {needed >> 20} MiB may be needed",
                      "free space on the server, then start geoclic-backup.service.")


def _dump(container: str, database: dict[str, Any], target: Path) -> dict[str, int]:
    """Dumps the database; rows by table are counted in the very snapshot that is dumped."""
    access = ["-U", database["user"], "-d", database["name"]]
    with _session(["docker", "exec", "-i", container, "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", *access]) as (ask, answers):
        ask.write("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\nSELECT pg_export_snapshot();\n")
        ask.flush()
        snapshot = answers.readline().strip()
        if not snapshot:
            raise Failure("DATABASE_FAILED", _STEP, "the database gives no snapshot", "look at the database's logs on the server.")
        ask.write(_COUNTS + "\\echo .\n")
        ask.flush()
        tables = {}
        for line in iter(answers.readline, ".\n"):
            if not line:
                raise Failure("DATABASE_FAILED", _STEP, "rows could not be counted", "look at the database's logs on the server.")
            table, rows = line.rstrip("\n").rsplit("\t", 1)
            tables[table] = int(rows)
        to_file(target, ["docker", "exec", container, "pg_dump", "--format=custom", f"--snapshot={snapshot}", *access], step=_STEP)
    verify_dump(container, target, _STEP)
    return tables


def _volume(name: str) -> Path:
    found = run(["docker", "volume", "inspect", "--format", "{{.Mountpoint}}", name])
    if found.status != 0:
        raise Failure("VOLUME_MISSING", _STEP, found.said, "look at `docker volume ls` on the server.")
    return Path(found.stdout.strip())


def _archive(folder: Path, target: Path) -> int:
    """Packs the photos; the number of files in the archive, as tar reads it back."""
    # GNU tar says 1 when a file changed while it was read, e.g. a folder into which a photo came meanwhile.
    for _ in range(3):
        packed = run(["tar", "--numeric-owner", "-C", str(folder), "-czf", str(target), "."], timeout=_TAR_SECONDS)
        if packed.status != 1:
            break
    if packed.status not in (0, 1):
        raise stream_failure(target, _STEP, packed.said)
    os.chmod(target, 0o600)
    listed = run(["tar", "-tzf", str(target)], timeout=_TAR_SECONDS)
    if listed.status != 0:
        raise Failure("BACKUP_UNREADABLE", _STEP, f"tar does not read {target.name}: {one_line(listed.said, 300)}",
                      "look at the disk of the server, then run again.")
    return sum(not line.endswith("/") for line in listed.stdout.splitlines())


def content(path: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _note(began: datetime, outcome: dict[str, Any]) -> None:
    now = datetime.now(timezone.utc)
    layout.write(_OUTCOME, json.dumps({"startedAt": began.isoformat(), "endedAt": now.isoformat(), **outcome}) + "\n", 0o600)


@contextmanager
def _session(words: Sequence[str]) -> Iterator[tuple[IO[str], IO[str]]]:
    """A program to talk with; it ends with the block."""
    process = subprocess.Popen(list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdin and process.stdout
    try:
        yield process.stdin, process.stdout
    finally:
        try:
            process.stdin.close()
            process.wait(timeout=30)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            process.kill()
            process.wait()
        process.stdout.close()
