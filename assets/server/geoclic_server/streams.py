"""Large data between programs and files: no pipe whose failure could hide, nothing half-written taken for whole."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from .failure import Failure, one_line

_SECONDS = 4 * 3600


def to_file(target: Path, words: Sequence[str], *, step: str, environment: Mapping[str, str] | None = None) -> None:
    """Writes a program's output to a file (0600), on disk when this returns. Raises Failure DISK_FULL or BACKUP_FAILED."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        try:
            end = subprocess.run(list(words), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.PIPE, timeout=_SECONDS,
                                 env={**os.environ, **(environment or {})}, check=False)
        except subprocess.TimeoutExpired as error:
            raise Failure("BACKUP_FAILED", step, f"{target.name} is not whole after {_SECONDS // 3600} h", "look at the load of the server.") from error
        if end.returncode != 0:
            raise stream_failure(target, step, end.stderr.decode(errors="replace") or f"exit status {end.returncode}")
        os.fsync(file.fileno())


def stream_failure(target: Path, step: str, said: str) -> Failure:
    cause = f"{target.name.strip('.')}: {one_line(said, 400)}"
    # A program whose output cannot be written is often killed without a word about the disk.
    if "No space left" in said or shutil.disk_usage(target.parent).free < 1 << 20:
        return Failure("DISK_FULL", step, f"{cause} (no space left on {target.parent})", "free space on the server, then run again.")
    return Failure("BACKUP_FAILED", step, cause, "look at the cause on the server, then run again.")


def verify_dump(container: str, dump: Path, step: str) -> None:
    """Raises Failure BACKUP_UNREADABLE unless pg_restore reads the list of a dump."""
    with dump.open("rb") as file:
        listed = subprocess.run(["docker", "exec", "-i", container, "pg_restore", "--list"], stdin=file, capture_output=True,
                                text=True, errors="replace", timeout=3600, check=False)
    entries = [line for line in listed.stdout.splitlines() if line and not line.startswith(";")]
    if listed.returncode != 0 or not entries:
        said = one_line(listed.stderr, 300) or "it lists nothing"
        raise Failure("BACKUP_UNREADABLE", step, f"pg_restore does not read {dump.name.strip('.')}: {said}",
                      "look at the database's logs and the disk on the server, then run again.")
