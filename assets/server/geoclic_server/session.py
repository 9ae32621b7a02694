"""One psql in the database's container that is told a statement at a time. What is kept is decided on this side, after each answer."""

import os
import queue
import secrets
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from .migrations import SqlError, psql_error

_MOST_LINES = 100_000
"""Of an answer that are kept; the statements of the tool ask for far fewer."""
_CLOSING_SECONDS = 20


class SqlRefused(Exception):
    """PostgreSQL refused a statement; the session goes on."""

    def __init__(self, error: SqlError) -> None:
        super().__init__(error.message)
        self.error = error


class SessionLost(Exception):
    """The program ended, or gave no answer in time. What it ran may go on in the container."""


@dataclass(frozen=True)
class _Line:
    is_error: bool
    text: bytes | None
    """None: the stream's end."""


class Session:
    """`words`: a command line of psql that reads its standard input."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._seconds = seconds
        self._mark = f"geoclic{secrets.token_hex(16)}"
        self._lines: queue.Queue[_Line] = queue.Queue()
        self._is_lost = False
        self._program = subprocess.Popen(list(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment})
        for stream, is_error in ((self._program.stdout, False), (self._program.stderr, True)):
            threading.Thread(target=self._read, args=(stream, is_error), daemon=True).start()

    def close(self) -> bool:
        """Without a COMMIT before it, nothing is kept. Returns whether the program came to its own end; else what it ran may go on in the container."""
        try:
            if self._program.stdin:
                self._program.stdin.close()
        except OSError:
            # It ended before it read everything.
            pass
        try:
            self._program.wait(0 if self._is_lost else _CLOSING_SECONDS)
        except subprocess.TimeoutExpired:
            self._program.kill()
            self._program.wait()
            return False
        return not self._is_lost

    def rows(self, sql: str) -> list[list[str]]:
        """Answer to a statement of the tool's own, by columns. Raises SqlRefused, SessionLost."""
        out, said = self._ask(f"{sql};")
        error = psql_error(said)
        if error:
            raise SqlRefused(error)
        return [line.split("\t") for line in out.splitlines()]

    def attempt(self, text: str) -> SqlError | None:
        """Runs a statement of somebody else's. Returns what PostgreSQL has against it. Raises SessionLost.

        It travels inside a dollar quote: psql sends it as it is, so nothing in it is a command or a variable of psql's, and PostgreSQL alone reads it.
        """
        _, said = self._ask(f"SELECT ${self._mark}${text}${self._mark}$ \\gexec")
        return psql_error(said)

    def _ask(self, words: str) -> tuple[str, str]:
        """What was written on the two streams."""
        mark = self._mark.encode()
        text = f"{words}\n\\echo {self._mark}\n\\warn {self._mark}\n"
        try:
            assert self._program.stdin is not None
            self._program.stdin.write(text.encode())
            self._program.stdin.flush()
        except OSError as error:
            raise self._lost(self._last_words()) from error
        said: dict[bool, list[bytes]] = {False: [], True: []}
        waited = {False, True}
        while waited:
            line = self._next()
            if line.text is None:
                raise self._lost(b"".join(said[True]).decode(errors="replace") or self._last_words())
            if line.text.endswith(mark + b"\n"):
                waited.discard(line.is_error)
                line = _Line(line.is_error, line.text[: -len(mark) - 1])
            if len(said[line.is_error]) < _MOST_LINES:
                said[line.is_error].append(line.text or b"")
        return b"".join(said[False]).decode(errors="replace"), b"".join(said[True]).decode(errors="replace")

    def _next(self) -> _Line:
        try:
            return self._lines.get(timeout=max(0.0, self._end - time.monotonic()))
        except queue.Empty:
            raise self._lost(f"it gave no answer within {self._seconds:.0f} s") from None

    def _lost(self, said: str) -> SessionLost:
        self._is_lost = True
        return SessionLost(said)

    def _last_words(self) -> str:
        """Of a program that ended."""
        said = b""
        while not self._lines.empty():
            line = self._lines.get()
            said += (line.text or b"") if line.is_error else b""
        return said.decode(errors="replace")

    def _read(self, stream: IO[bytes], is_error: bool) -> None:
        with stream:
            for text in stream:
                self._lines.put(_Line(is_error, text))
        self._lines.put(_Line(is_error, None))
