"""The journal of the present activation: one JSON object a line, readable while it grows."""

import json
import os
import time
from contextlib import suppress
from typing import Any

from . import layout
from .failure import Failure, one_line

_PATH = layout.STATE / "activation.jsonl"
_HISTORY = layout.STATE / "activations.jsonl"
_KEPT_RUNS = 50

Entry = dict[str, Any]


class Journal:
    """Appends what happens, and prints it."""

    def __init__(self, run: str, release: str) -> None:
        self._common = {"run": run, "release": release}

    def begin(self, kind: str, environment: str = "") -> None:
        """A new file; the one before it ends here. `kind`: activate or undo; `environment`: digest of what its containers are made with."""
        text = json.dumps({"time": time.time(), **self._common, "kind": "start", "what": kind, "environment": environment}) + "\n"
        layout.write(_PATH, text, 0o600)

    def step(self, step: str, text: str) -> None:
        self._append({"kind": "step", "step": step, "text": text})
        print(f"{step}: {text}", flush=True)

    def end(self, failure: Failure | None) -> None:
        outcome: Entry = {"outcome": "failed" if failure else "succeeded"}
        if failure:
            outcome |= {"code": failure.code, "step": failure.step, "cause": one_line(failure.cause), "next": one_line(failure.action)}
        self._append({"kind": "end", **outcome})
        with suppress(OSError):
            _remember(summary(entries()))

    def _append(self, entry: Entry) -> None:
        line = json.dumps({"time": round(time.time(), 3), **self._common, **entry}, ensure_ascii=False)
        # On a full disk nothing can be noted, and what is being done is done all the same.
        try:
            with open(os.open(_PATH, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            print(f"journal: {error}", flush=True)


def entries() -> list[Entry]:
    """Of the newest run; a line cut by a power failure is passed over."""
    return _read(_PATH)


def last() -> Entry | None:
    """Summary of the newest run that has ended or goes on."""
    found = entries()
    return summary(found) if found else None


def environment() -> str | None:
    """Digest that the newest run began with; None where it was not noted."""
    return next((entry.get("environment") for entry in entries() if entry["kind"] == "start"), None)


def summary(found: list[Entry]) -> Entry:
    """{release, what, outcome, startedAt, endedAt, code?, step?, cause?, next?}; outcome `open` until there is an end."""
    start = next((entry for entry in found if entry["kind"] == "start"), {})
    end = next((entry for entry in reversed(found) if entry["kind"] == "end"), {})
    told: Entry = {key: end[key] for key in ("code", "step", "cause", "next") if key in end}
    return {"release": start.get("release"), "what": start.get("what"), "outcome": end.get("outcome", "open"),
            "startedAt": _iso(start.get("time")), "endedAt": _iso(end.get("time")), **told}


def _remember(run: Entry) -> None:
    lines = [json.dumps(entry, ensure_ascii=False) for entry in [*_read(_HISTORY), run][-_KEPT_RUNS:]]
    layout.write(_HISTORY, "\n".join(lines) + "\n", 0o600)


def _read(path: "os.PathLike[str]") -> list[Entry]:
    try:
        with open(path, errors="replace") as file:
            lines = file.readlines()
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _iso(seconds: float | None) -> str | None:
    return None if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
