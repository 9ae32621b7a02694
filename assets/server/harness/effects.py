"""Every effect of a process is counted, and the n-th one is its last: it dies before it, as by SIGKILL or a power cut.

An effect is a command, or a change of a file of the imitated server. Python's own audit events tell the changes of files,
so that no way to change one is forgotten.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .durability import Unsynced

KILLED = 99
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.rename": 2, "os.remove": 1, "os.mkdir": 1, "os.rmdir": 1, "os.symlink": 2, "os.link": 2, "os.truncate": 1, "os.chmod": 1}


@dataclass(frozen=True)
class Cut:
    """`how`: `before` the effect; `torn`, when the file is made and empty; `stdin`, when a program in a container got `part` of its input
    and goes on without its client; `late`, as `before`, but that program gets all of it; `term`, no death but SIGTERM."""

    number: int
    how: str = "before"
    part: float = 0.5

    def __str__(self) -> str:
        return f"{self.number}" if self.how == "before" else f"{self.number}.{self.how}" + (f"-{self.part:g}" if self.how == "stdin" else "")

    @staticmethod
    def read(text: str) -> "Cut":
        number, _, how = text.partition(".")
        name, _, part = how.partition("-")
        return Cut(int(number), name or "before", float(part) if part else 0.5)


class Effects:
    """Of one process; `log`: a line an effect, of all the processes of one act."""

    def __init__(self, root: Path, log: Path, cut: Cut | None, unsynced: Unsynced, look: Callable[[], str] | None = None) -> None:
        """`look`: asked before each effect, its answer goes into the log."""
        self._root, self._cut = str(root) + "/", cut
        self._is_resting = False
        self._look, self._unsynced = look, unsynced
        self._count = len(log.read_text().splitlines()) if log.exists() else 0
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def watch(self) -> None:
        sys.addaudithook(self._hook)

    def command(self, words: list[str], *, has_input: bool) -> Cut | None:
        """Counts it; returns the cut where the command itself must die in the middle."""
        is_last = self._happens(("in " if has_input else "") + _shown(words, self._root))
        return self._cut if is_last else None

    @contextmanager
    def rest(self) -> Iterator[None]:
        """What the imitated programs change by themselves is no effect of the process."""
        self._is_resting = True
        try:
            yield
        finally:
            self._is_resting = False

    def close(self) -> None:
        os.close(self._log)

    def die(self) -> None:
        os._exit(KILLED)

    def _hook(self, event: str, words: tuple[Any, ...]) -> None:
        if self._is_resting:
            return
        if event == "open":
            path, _, flags = words
            if isinstance(flags, int) and flags & _WRITES and self._is_mine(path):
                self._file("write" if flags & os.O_TRUNC else "append", path, flags)
                with self.rest():
                    self._unsynced.written(os.path.abspath(os.fsdecode(path)))
        elif event in _CHANGES:
            paths = words[: _CHANGES[event]]
            # Relative to an open folder: the removal of a tree.
            is_relative = event != "os.truncate" and isinstance(words[-1], int) and words[-1] >= 0
            if is_relative or any(self._is_mine(path) for path in paths):
                self._happens(f"{event.removeprefix('os.')} {' '.join(_shown([os.fsdecode(path)], self._root) for path in paths if not isinstance(path, int))}")
                with self.rest():
                    self._note(event, [os.path.abspath(os.fsdecode(path)) for path in paths if not is_relative])

    def _note(self, event: str, paths: list[str]) -> None:
        match event, paths:
            case "os.rename", [source, target]:
                self._unsynced.renamed(source, target)
            case "os.remove", [path]:
                self._unsynced.removed(path)

    def synced(self, descriptor: int) -> None:
        """Before a file or a folder is told to go to the disk."""
        with self.rest():
            self._unsynced.synced(os.readlink(f"/proc/self/fd/{descriptor}"))

    def _file(self, verb: str, path: Any, flags: int) -> None:
        if self._happens(f"{verb} {_shown([os.fsdecode(path)], self._root)}") and self._cut and self._cut.how == "torn":
            os.close(os.open(path, flags & ~os.O_EXCL | os.O_CREAT, 0o600))
            self.die()

    def _happens(self, text: str) -> bool:
        """Whether it is the one; it does not return where the process dies before it."""
        self._count += 1
        if self._look:
            with self.rest():
                text = f"{self._look()}\t{text}"
        os.write(self._log, text.encode() + b"\n")
        if self._cut is None or self._cut.number != self._count:
            return False
        if self._cut.how == "before":
            self.die()
        if self._cut.how == "term":
            os.kill(os.getpid(), signal.SIGTERM)
        return True

    def _is_mine(self, path: Any) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return False
        return os.path.abspath(os.fsdecode(path)).startswith(self._root)


def _shown(words: list[str], root: str) -> str:
    return " ".join(" ".join(word.replace(root, "/").split())[:120] for word in words)
