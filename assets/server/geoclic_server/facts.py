"""What the server tells of itself: read only, one question."""

import argparse
import json
import os
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import activation, backup, certificate, layout
from . import command as frame
from .compose import containers, health_of, service_of
from .process import run
from .schedules import NAMES


def command() -> None:
    frame.main("facts", _options, lambda _options: print(json.dumps(facts())))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")


def facts() -> dict[str, Any]:
    known = activation.status()
    release = known["running"]
    described = layout.read_json(layout.RELEASES / release / "release.json") if release else None
    disk = shutil.disk_usage(layout.ROOT)
    memory = _memory()
    return {
        "release": release,
        "former": known["former"],
        "lastActivation": known["last"],
        "containers": [_container(one) for one in containers(described["project"])] if described else [],
        "certificate": certificate.served(),
        "schedules": [_schedule(name) for name in (*NAMES, "certbot")],
        "lastBackup": backup.last(),
        "disk": {"usedPercent": round(100 * (disk.total - disk.free) / disk.total, 1), "freeGiB": round(disk.free / 2**30, 1)},
        "memory": memory,
        "load": list(os.getloadavg()),
        "rebootRequired": Path("/run/reboot-required").exists(),
        "os": _os_name(),
        "docker": run(["docker", "version", "--format", "{{.Server.Version}}"]).stdout.strip() or None,
    }


def _container(one: dict[str, Any]) -> dict[str, Any]:
    return {"service": service_of(one), "state": one["State"]["Status"], "health": health_of(one), "image": one["Config"]["Image"],
            "since": one["State"]["StartedAt"]}


def _schedule(name: str) -> dict[str, Any]:
    shown = run(["systemctl", "show", f"{name}.timer", "--property=NextElapseUSecRealtime,LastTriggerUSec,ActiveState,NextElapseUSecMonotonic"]).stdout
    values = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    result = run(["systemctl", "show", f"{name}.service", "--property=Result", "--value"]).stdout.strip()
    return {"name": name, "next": _next(name), "last": values.get("LastTriggerUSec") or None, "result": result,
            "active": values.get("ActiveState") == "active"}


def _next(name: str) -> str | None:
    """From the list of timers, which counts monotonic ones too."""
    listed = run(["systemctl", "list-timers", "--all", "--output=json", f"{name}.timer"]).stdout
    try:
        microseconds = json.loads(listed)[0]["next"]
    except (ValueError, IndexError, KeyError):
        return None
    if not microseconds:
        return None
    return datetime.fromtimestamp(microseconds / 1e6, timezone.utc).isoformat(timespec="minutes")


def _memory() -> dict[str, int]:
    values = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    return {"totalMiB": int(values["MemTotal"].split()[0]) // 1024, "availableMiB": int(values["MemAvailable"].split()[0]) // 1024}


def _os_name() -> str:
    values = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return values.get("PRETTY_NAME", "").strip('"')
