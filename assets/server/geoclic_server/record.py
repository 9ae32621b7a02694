"""One record of the way back: which containers ran before anything was stopped, on disk before that.

It is there from the first thing that an activation changes until the last thing that its end needs: the commit is its
`committed`, written by one rename. Whoever finds it open goes back; whoever finds it committed goes on to the end.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from . import layout

_PATH = layout.STATE / "rollout.json"


@dataclass(frozen=True)
class Kept:
    """A service as it was."""

    containers: tuple[str, ...]
    """Ids of those that ran, the oldest first; empty where it had none."""
    stateful: bool
    ingress: bool
    drain_seconds: int


@dataclass(frozen=True)
class Record:
    release: str
    """The one that is being activated."""
    former: str | None
    """The running one; None before the first, and at an adoption."""
    domain: str
    client: str
    services: Mapping[str, Kept]
    committed: bool = False
    unsorted: bool = False
    """The database was exchanged on the way back: its indexes may be by another image's rules until they were looked at."""


def read() -> Record | None:
    value = layout.read_json(_PATH)
    if not isinstance(value, dict):
        return None
    services = {name: Kept(**{**kept, "containers": tuple(kept["containers"])}) for name, kept in value.pop("services").items()}
    return Record(**value, services=services)


def opened() -> Record | None:
    """Of a run that did not come to its commit."""
    record = read()
    return None if record is None or record.committed else record


def committed_release() -> str | None:
    """One whose commit is not completed: it is the running one, wherever `current` leads."""
    record = read()
    return record.release if record and record.committed else None


def begin(wanted: Record) -> Record:
    """Before the first thing is changed. What an interrupted run noted stays: it saw what ran before."""
    present = opened()
    record = replace(wanted, services=present.services, unsorted=present.unsorted) if present and present.former == wanted.former else wanted
    _write(record)
    return record


def commit() -> Record | None:
    """The point of no return."""
    record = read()
    if record is None:
        return None
    committed = replace(record, committed=True)
    _write(committed)
    return committed


def suspect(noted: Record) -> None:
    """Before the database is exchanged on the way back."""
    _write(replace(noted, unsorted=True))


def close() -> None:
    layout.remove(_PATH)


def _write(record: Record) -> None:
    layout.write(_PATH, json.dumps(asdict(record)) + "\n", 0o600)
