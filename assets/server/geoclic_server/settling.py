"""What a run that was cut left is put right: by the next run, at boot, by the monitor. Each part on its own, again and again."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from . import detour, handover, layout, lifecycle, made, maintenance, record, undo
from .compose import Container, Release, containers
from .exchange import Say
from .failure import known, say
from .maintenance import Page
from .record import Record
from .services import Rollout

_STEP = "settle"


def settle(tell: Say = say) -> list[str]:
    """To be called with the operation lock held. Returns what could not be put right, empty for nothing; the next call tries again."""
    problems = put_back(tell)
    running = layout.running_release()
    if running is None:
        return problems
    release = layout.read_release(running)
    parts: list[tuple[str, Callable[[Release], object]]] = [
        ("restart policy", _keep_proven), ("handover", handover.settle), ("detour", detour.consolidate), ("former containers", partial(_finish, tell))]
    for what, part in parts:
        problems += _tried(what, partial(part, release))
    return problems


def put_back(tell: Say = say) -> list[str]:
    """A commit that was cut is carried to its end; containers and a page that nobody has proven, and nobody is busy with, go."""
    noted = record.read()
    if noted and noted.committed:
        return _tried("commit", partial(complete, noted))
    if noted:
        return undo.go_back(noted, tell, with_database=False)
    return [] if undo.is_held() else _tried("maintenance", _end_page)


def complete(noted: Record) -> None:
    """Everything that a committed release needs, whatever of it is done already: each line may be the last one that was done."""
    release = layout.read_release(noted.release)
    status = layout.read_json(layout.STATUS) or {}
    former = status.get("former") if noted.former == noted.release else noted.former
    layout.take_environment()
    page = Page(release, noted.domain, layout.running_environment())
    told = {"running": noted.release, "former": former, "domain": noted.domain, "page": str(page.flag) if page.flag else None, "compose": made.note(release)}
    layout.write(layout.STATUS, json.dumps(told) + "\n", 0o600)
    if layout.running_release() != noted.release:
        layout.switch(layout.CURRENT, Path("releases") / noted.release)
    _keep(release)
    shown = layout.PUBLIC / "release.json"
    if (layout.read_json(shown) or {}).get("release") != noted.release:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        layout.write(shown, json.dumps({"release": noted.release, "activatedAt": now}) + "\n")
    if maintenance.opened():
        maintenance.end()
    record.close()


def _end_page() -> None:
    if maintenance.opened() or any(flag.exists() for flag in maintenance.flags()):
        maintenance.end()


def _keep_proven(release: Release) -> None:
    if record.read() is None:
        _keep(release)


def _keep(release: Release) -> None:
    lifecycle.keep(*[one for one in containers(release["project"]) if one.service in release["services"] and one.is_running and not lifecycle.is_proven(one)])


def _finish(tell: Say, release: Release) -> None:
    """The former containers of a release that is proven."""
    found: list[Container] = containers(release["project"])
    if record.read() is None and len(found) > len(release["services"]):
        rollout = Rollout(release, tell, layout.running_environment())
        if rollout.is_done:
            rollout.finish()


def _tried(what: str, work: Callable[[], object]) -> list[str]:
    try:
        work()
    except Exception as error:
        failure = known(error, _STEP)
        return [f"{what}: {failure.cause} ({failure.code})"]
    return []
