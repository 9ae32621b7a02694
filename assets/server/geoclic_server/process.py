"""Programs run by a list of words, with a time limit; never by a shell."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """What explains a failure best."""
        return self.stderr.strip() or self.stdout.strip() or f"exit status {self.status}"


def run(
    words: Sequence[str],
    *,
    stdin: str | bytes | None = None,
    timeout: float = 120,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Runs a program to its end. A missing program or a passed limit is a status of 127 or 124, never an exception."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        end = subprocess.run(
            list(words),
            input=data,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            timeout=timeout,
            env={**os.environ, **environment} if environment else None,
            check=False,
        )
    except FileNotFoundError:
        return Result(127, "", f"{words[0]} was not found")
    except subprocess.TimeoutExpired:
        return Result(124, "", f"{words[0]} gave no end within {timeout:.0f} s")
    return Result(end.returncode, end.stdout.decode(errors="replace"), end.stderr.decode(errors="replace"))
