"""The regular check of a town: what is wrong now, as JSON in the state folder."""

import argparse
import json
import os
import time
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from . import detour, firewall, layout, tls, town
from . import command as frame
from .backup import last_backup
from .compose import Container, containers
from .failure import Failure, say
from .lock import operation
from .machine import disk_percents, memory_percent

_STEP = "monitor"
_DISK_PERCENT = 90
_MEMORY_PERCENT = 95
_CERTIFICATE_DAYS = 14
_BACKUP_HOURS = 26

Problem = dict[str, str]


def command() -> None:
    frame.main("monitor", _options, lambda options: check(options.client, options.domain))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--domain", required=True)


def check(client: str, domain: str) -> None:
    """Writes monitor.json; a problem of the town is a finding, not a failure of the check."""
    release_id = layout.running_release()
    release = None if release_id is None else layout.read_release(release_id)
    if release and detour.is_left(release):
        with suppress(Failure), operation("reload of the ingress"):
            detour.consolidate(release)
    problems = [] if release is None else _problems(release, domain)
    report = {"format": 1, "client": client, "checkedAt": datetime.now(timezone.utc).isoformat(), "release": release_id, "problems": problems}
    layout.write(layout.STATE / "monitor.json", json.dumps(report, ensure_ascii=False, indent=2) + "\n", 0o600)
    for problem in problems:
        say(_STEP, f"{problem['code']}: {problem['text']}")
    if not problems:
        say(_STEP, "no problem")


def _problems(release: dict[str, Any], domain: str) -> list[Problem]:
    health = town.health_problem(domain, release["adapter"]["health"])
    held = tls.known_facts()
    return [
        *([_problem("UNHEALTHY", health)] if health else []),
        *container_problems(release, containers(release["project"])),
        *machine_problems(disk_percents(), memory_percent()),
        *certificate_problems(None if held is None else float(held["daysLeft"])),
        *backup_problems(last_backup(), _running_seconds(), time.time()),
        *_firewall_problems(),
    ]


def container_problems(release: dict[str, Any], found: list[Container]) -> list[Problem]:
    """A service without a healthy container of the release's image; stopped ones beside it do not matter."""
    problems = []
    for service, described in release["services"].items():
        own = [container for container in found if container.service == service]
        if not any(container.is_fine and container.image == described["image"] for container in own):
            states = ", ".join(sorted({container.condition for container in own})) or "no container"
            problems.append(_problem("SERVICE_DOWN", f"{service}: {states}"))
    return problems


def machine_problems(disks: dict[str, int], memory: int) -> list[Problem]:
    full = [_problem("DISK_FULL", f"{path} is {used} % full") for path, used in disks.items() if used > _DISK_PERCENT]
    short = [_problem("MEMORY_SHORT", f"{memory} % of the memory is used")] if memory > _MEMORY_PERCENT else []
    return full + short


def certificate_problems(days_left: float | None) -> list[Problem]:
    if days_left is None:
        return [_problem("CERTIFICATE_MISSING", "there is no certificate")]
    if days_left < _CERTIFICATE_DAYS:
        return [_problem("CERTIFICATE_ENDS", f"the certificate ends in {days_left:.0f} days")]
    return []


def backup_problems(last: dict[str, Any] | None, running_seconds: float, now: float) -> list[Problem]:
    """A failed run, or no good backup for too long; a town that is younger than that has none yet."""
    if last and last.get("outcome") == "failed":
        return [_problem("BACKUP_FAILED", f"{last.get('code')}: {last.get('cause')}")]
    newest = last.get("newest") if last else None
    made = datetime.fromisoformat(newest["createdAt"]).timestamp() if newest else None
    age = running_seconds if made is None else now - made
    return [_problem("BACKUP_OLD", f"no backup for {age / 3600:.0f} h")] if age > _BACKUP_HOURS * 3600 else []


def _running_seconds() -> float:
    """Since the present release was activated."""
    return time.time() - os.lstat(layout.CURRENT).st_mtime


def _firewall_problems() -> list[Problem]:
    if firewall.is_there():
        return []
    return [_problem("FIREWALL_OFF", "the table inet geoclic is not in force")]


def _problem(code: str, text: str) -> Problem:
    return {"code": code, "text": text}
