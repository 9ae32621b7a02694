"""Photos on disk. Blocking functions: call them in a thread."""

import hashlib
import os
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

SIGNATURES = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpg"}


@dataclass(frozen=True)
class StoredPhoto:
    path: str
    """Below the photos folder, e.g. demandes/2026/11/UUID.png"""
    sha256: str
    bytes: int


def extension(content: bytes) -> str | None:
    """By the first bytes: names and types that a browser sends prove nothing."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    return next((end for start, end in SIGNATURES.items() if content.startswith(start)), None)


def store(folder: Path, content: bytes, end: str) -> StoredPhoto:
    now = datetime.now(timezone.utc)
    path = f"demandes/{now:%Y}/{now:%m}/{uuid.uuid4()}.{end}"
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)
    return StoredPhoto(path, hashlib.sha256(content).hexdigest(), len(content))


def probe(folder: Path) -> None:
    """Raises OSError when a file cannot be written, read back and deleted."""
    target = folder / f".health-{uuid.uuid4()}"
    try:
        target.write_text("ok")
        if target.read_text() != "ok":
            raise OSError("read back something else")
    finally:
        target.unlink(missing_ok=True)


def compare(folder: Path, expected: dict[str, str]) -> dict[str, int]:
    """Rows (path → sha256) against files: what a restore is proved with."""
    missing = corrupt = 0
    for path, sha256 in expected.items():
        try:
            if hashlib.sha256((folder / path).read_bytes()).hexdigest() != sha256:
                corrupt += 1
        except FileNotFoundError:
            missing += 1
    files = sum(1 for path in (folder / "demandes").rglob("*") if path.is_file() and path.suffix != ".part")
    return {"rows": len(expected), "files": files, "missing": missing, "corrupt": corrupt}
