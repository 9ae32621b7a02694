"""One operation at a time on a server; a second one learns who holds it."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from . import layout
from .failure import Failure

_PATH = layout.STATE / "operation.lock"


@contextmanager
def operation(what: str, wait_seconds: int = 0, on_wait: Callable[[str], None] = lambda _holder: None,
              check: Callable[[], None] = lambda: None, path: Path | None = None) -> Iterator[None]:
    """Holds the lock, which ends with the process, however it ends. Raises Failure BUSY after `wait_seconds`, and what `check` raises meanwhile.

    `path`: of a lock of its own, beside which others go on.
    """
    with open(os.open(path or _PATH, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        end, is_told = time.monotonic() + wait_seconds, False
        while not _take(file.fileno()):
            file.seek(0)
            who = holder(file.read())
            if time.monotonic() >= end:
                raise Failure("BUSY", "lock", f"{who} is going on here", "wait for its end, then run again.")
            if not is_told:
                on_wait(who)
                is_told = True
            check()
            time.sleep(1)
        _tell(file.fileno(), what)
        yield


def holder(text: str) -> str:
    try:
        value = json.loads(text)
        return f"{value['what']} (process {value['pid']}, since {value['since']})"
    except (ValueError, KeyError, TypeError):
        return "another operation"


def _tell(descriptor: int, what: str) -> None:
    """On a full disk nobody is told who holds it, and it is held all the same."""
    text = json.dumps({"what": what, "pid": os.getpid(), "since": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
