"""Large data between programs and files: no pipe whose failure could hide, nothing half-written taken for whole.

A program that gives no end is a result too (status 124), never an exception.
"""

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .failure import Failure, one_line
from .process import Result

HOURS = 3600.0
_SECONDS = 4 * HOURS
_COPY = re.compile(rb'COPY ("(?:[^"]|"")+"|[^\s".]+)\.("(?:[^"]|"")+"|[^\s".]+) (?:\(.*\))? ?FROM stdin;\n')


def to_file(target: Path, words: Sequence[str], *, step: str, environment: Mapping[str, str] | None = None, seconds: float = _SECONDS) -> None:
    """Writes a program's output to a file (0600), on disk when this returns. Raises Failure DISK_FULL or BACKUP_FAILED."""
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "wb") as file:
        end = _run(words, subprocess.DEVNULL, file, environment, seconds)
        if end.status != 0:
            raise stream_failure(target, step, end.said)
        os.fsync(file.fileno())


def from_file(source: Path, words: Sequence[str], *, environment: Mapping[str, str] | None = None, seconds: float = _SECONDS) -> Result:
    """Runs a program with a file as its standard input; what it prints is small."""
    with source.open("rb") as file:
        return _run(words, file, subprocess.PIPE, environment, seconds)


def each_line(words: Sequence[str], take: Callable[[bytes], object], *, source: Path, environment: Mapping[str, str] | None = None,
              seconds: float = _SECONDS) -> Result:
    """Gives each line that a program prints to `take`, with a file as its standard input. It ends early when `take` raises."""
    with source.open("rb") as file, tempfile.TemporaryFile() as said:
        with _started(words, environment, stdin=file, stdout=subprocess.PIPE, stderr=said) as (process, is_late):
            def end() -> None:
                is_late.set()
                process.kill()

            limit = threading.Timer(seconds, end)
            limit.daemon = True
            limit.start()
            try:
                assert process.stdout
                for line in process.stdout:
                    take(line)
                process.wait()
            finally:
                limit.cancel()
        return _result(words, process, is_late, said, seconds)


def pour(words: Sequence[str], source: Path, into: Sequence[str], change: Callable[[bytes], bytes], *,
         environment: Mapping[str, str] | None = None, seconds: float = _SECONDS) -> Result:
    """Runs one program on a file and another on its lines, each changed before. The result is of the first that failed."""
    with tempfile.TemporaryFile() as said:
        with _started(into, environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as (sink, is_late):
            assert sink.stdin
            pipe = sink.stdin
            try:
                poured = each_line(words, lambda line: pipe.write(change(line)), source=source, environment=environment, seconds=seconds)
                pipe.close()
            except BrokenPipeError:
                poured = Result(141, "", f"{into[0]} reads no more")
            try:
                sink.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                is_late.set()
                sink.kill()
                sink.wait()
        taken = _result(into, sink, is_late, said, seconds)
    return taken if taken.status != 0 else poured


def stream_failure(target: Path, step: str, said: str) -> Failure:
    cause = f"{target.name.strip('.')}: {one_line(said, 400)}"
    # A program whose output cannot be written is often killed without a word about the disk.
    if "No space left" in said or shutil.disk_usage(target.parent).free < 1 << 20:
        return Failure("DISK_FULL", step, f"{cause} (no space left on {target.parent})", "free space on the server, then run again.")
    return Failure("BACKUP_FAILED", step, cause, "look at the cause on the server, then run again.")


def verify_dump(container: str, dump: Path, step: str) -> None:
    """Raises Failure BACKUP_UNREADABLE unless pg_restore reads every block of a dump: its list alone stands at the head of the file."""
    forget_cached(dump)
    read = from_file(dump, ["docker", "exec", "-i", container, "pg_restore", "-f", "/dev/null"])
    if read.status != 0:
        raise _unreadable(dump, step, read.said)


def rows_in(container: str, dump: Path, step: str) -> dict[str, int]:
    """Rows by table (`schema.table`, without quotes), counted in the dump itself, to its last block. Raises as `verify_dump`."""
    forget_cached(dump)
    rows: dict[str, int] = {}
    table = ""

    def take(line: bytes) -> None:
        nonlocal table
        if table and line == b"\\.\n":
            table = ""
        elif table:
            rows[table] += 1
        elif match := _COPY.fullmatch(line):
            table = f"{_plain(match[1])}.{_plain(match[2])}"
            rows[table] = 0

    # Data alone: no body of a function can look like a COPY.
    read = each_line(["docker", "exec", "-i", container, "pg_restore", "--data-only", "-f", "-"], take, source=dump)
    if read.status != 0:
        raise _unreadable(dump, step, read.said)
    return rows


def forget_cached(path: Path) -> None:
    """Lets the next reader get a file from the disk; of one that is not on disk yet nothing is forgotten."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _plain(identifier: bytes) -> str:
    text = identifier.decode()
    return text[1:-1].replace('""', '"') if text.startswith('"') else text


def _unreadable(dump: Path, step: str, said: str) -> Failure:
    return Failure("BACKUP_UNREADABLE", step, f"pg_restore does not read {dump.name.strip('.')} to its end: {one_line(said, 300)}",
                   "look at the database's logs and the disk on the server, then run again.")


def _run(words: Sequence[str], stdin: "int | IO[bytes]", stdout: "int | IO[bytes]", environment: Mapping[str, str] | None, seconds: float) -> Result:
    try:
        end = subprocess.run(list(words), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, timeout=seconds,
                             env={**os.environ, **(environment or {})}, check=False)
    except FileNotFoundError:
        return Result(127, "", f"{words[0]} was not found")
    except subprocess.TimeoutExpired:
        return Result(124, "", _late(words, seconds))
    return Result(end.returncode, (end.stdout or b"").decode(errors="replace"), end.stderr.decode(errors="replace"))


@contextmanager
def _started(words: Sequence[str], environment: Mapping[str, str] | None, *, stdin: "int | IO[bytes]", stdout: int,
             stderr: IO[bytes]) -> "Iterator[tuple[subprocess.Popen[bytes], threading.Event]]":
    """A program that does not outlive the block."""
    process = subprocess.Popen(list(words), stdin=stdin, stdout=stdout, stderr=stderr, env={**os.environ, **(environment or {})})
    try:
        yield process, threading.Event()
    finally:
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with suppress(BrokenPipeError):
                    pipe.close()
        process.wait()


def _result(words: Sequence[str], process: "subprocess.Popen[bytes]", is_late: threading.Event, said: IO[bytes], seconds: float) -> Result:
    said.seek(0)
    if is_late.is_set():
        return Result(124, "", _late(words, seconds))
    return Result(process.returncode, "", said.read().decode(errors="replace"))


def _late(words: Sequence[str], seconds: float) -> str:
    return f"{words[0]} gave no end within {seconds:.0f} s"
