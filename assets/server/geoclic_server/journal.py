"""The journal of an activation: one JSON object a line, readable while it grows."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import layout

PATH = layout.STATE / "activation.jsonl"


class Journal:
    """Appends what happens; also shows it on standard output."""

    def __init__(self, path: Path, release: str, run: str) -> None:
        self._path, self._common = path, {"release": release, "run": run}

    def note(self, kind: str, step: str, text: str, **more: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), **self._common, "kind": kind, "step": step, "text": text, **more},
                          ensure_ascii=False)
        with self._path.open("a") as file:
            file.write(line + "\n")
        print(f"{step}: {text}", flush=True)

    def step(self, step: str, text: str) -> None:
        self.note("step", step, text)


def entries(path: Path = PATH) -> Iterator[dict[str, Any]]:
    """Every whole line; a line cut by a power failure is passed over."""
    if not path.exists():
        return
    for line in path.read_text(errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def trim(path: Path = PATH, keep: int = 2000) -> None:
    """Keeps the newest lines."""
    lines = path.read_text(errors="replace").splitlines(keepends=True) if path.exists() else []
    if len(lines) > 2 * keep:
        layout.write(path, "".join(lines[-keep:]), 0o600)
