"""Everything that a status needs, asked once and read only."""

import argparse
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import activation, layout, monitor, tls
from . import command as frame
from .backup import last_backup
from .compose import containers
from .failure import Failure
from .machine import disk_percents, memory_kib
from .process import run
from .schedules import TIMERS as OWN_TIMERS
from .system import read_os_release

_TIMERS = (*OWN_TIMERS, "certbot")


def command() -> None:
    frame.main("facts", _options, lambda options: print(json.dumps(facts(), ensure_ascii=False)))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the only form there is")


def facts() -> dict[str, Any]:
    """One question a source, all at once."""
    questions = {
        "containers": _containers,
        "certificate": _certificate,
        "schedules": _schedules,
        "docker": _docker,
    }
    with ThreadPoolExecutor(len(questions)) as pool:
        asked = {name: pool.submit(question) for name, question in questions.items()}
        slow = {name: answer.result() for name, answer in asked.items()}
    usage = shutil.disk_usage(layout.ROOT)
    total, available = memory_kib()
    activated = activation.status()
    return {
        "format": 1,
        "release": activated["running"],
        "former": activated["former"],
        **slow,
        "lastBackup": last_backup(),
        "lastActivation": activated["last"],
        "activity": activity(),
        "monitor": _monitor(),
        "disk": {"usedPercent": max(disk_percents().values()), "freeGiB": round(usage.free / 2**30, 1)},
        "memory": {"totalMiB": total >> 10, "availableMiB": available >> 10},
        "load": list(os.getloadavg()),
        "rebootRequired": Path("/run/reboot-required").exists() or Path("/var/run/reboot-required").exists(),
        "os": " ".join(read_os_release(Path("/etc/os-release").read_text())),
        "scripts": os.path.basename(os.path.realpath(layout.SCRIPTS)),
    }


def activity(path: Path = layout.STATE / "operation.lock", locks: Path = Path("/proc/locks")) -> dict[str, Any] | None:
    """Who holds the lock of operations: {what, pid, since}. Looked up, not tried: a trial would turn away one that begins."""
    try:
        inode = path.stat().st_ino
        held = any(line.split()[5].endswith(f":{inode}") for line in locks.read_text().splitlines() if " FLOCK " in line and "->" not in line)
    except (OSError, IndexError):
        return None
    return (layout.read_json(path) or {"what": "another operation"}) if held else None


def _containers() -> list[dict[str, Any]]:
    release_id = layout.running_release()
    if release_id is None:
        return []
    release = layout.read_release(release_id)
    order = {service: index for index, service in enumerate(release["services"])}
    rows = [
        {
            "service": container.service,
            "state": container.status,
            "health": container.health or None,
            "image": container.image,
            "since": container.started,
            "id": container.id[:12],
        }
        for container in containers(release["project"])
    ]
    return sorted(rows, key=lambda row: (order.get(row["service"], len(order)), row["since"]))


def _certificate() -> dict[str, Any] | None:
    """The monitor tells one that cannot be read."""
    with suppress(Failure):
        return tls.known_facts()
    return None


def _monitor() -> dict[str, Any]:
    """{checkedAt, problems}: what the last check found, and that it is old."""
    report = layout.read_json(monitor.PATH)
    told = report if isinstance(report, dict) else {}
    running = monitor.running_seconds() if layout.running_release() else None
    return {"checkedAt": told.get("checkedAt"), "problems": [*told.get("problems", []), *monitor.silence(report, running, time.time())]}


def _docker() -> dict[str, str | None]:
    engine = run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=10)
    compose = run(["docker", "compose", "version", "--short"], timeout=10)
    return {
        "engine": engine.stdout.strip() if engine.status == 0 else None,
        "compose": compose.stdout.strip() if compose.status == 0 else None,
    }


def _schedules() -> list[dict[str, Any]]:
    units = [f"{name}.{kind}" for name in _TIMERS for kind in ("timer", "service")]
    names = "Id,LoadState,NextElapseUSecRealtime,LastTriggerUSec,Result"
    return schedules(run(["systemctl", "show", f"--property={names}", *units], timeout=10, environment={"TZ": "UTC", "LC_ALL": "C"}).stdout)


def schedules(shown: str) -> list[dict[str, Any]]:
    """Rows from `systemctl show` of timers and their services; systemd tells them in UTC."""
    units: dict[str, dict[str, str]] = {}
    for block in shown.strip().split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        units[values.get("Id", "")] = values
    return [
        {
            "name": name,
            "next": _time(timer.get("NextElapseUSecRealtime", "")),
            "last": _time(timer.get("LastTriggerUSec", "")),
            "result": units.get(f"{name}.service", {}).get("Result") or None,
        }
        for name in _TIMERS
        if (timer := units.get(f"{name}.timer", {})).get("LoadState") == "loaded"
    ]


def _time(text: str) -> str | None:
    try:
        return datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=timezone.utc).isoformat()
    except ValueError:
        return None
