"""Looks at the town every few minutes and writes what it finds, with the list of problems, into one JSON file."""

import argparse
import json
import ssl
from datetime import datetime, timedelta, timezone
from http.client import HTTPException, HTTPSConnection
from typing import Any

from . import command as frame
from . import layout
from .facts import facts

_DISK_PERCENT = 90
_CERTIFICATE_DAYS = 14
_BACKUP_AGE = timedelta(hours=26)


def command() -> None:
    frame.main("monitor", _options, lambda options: watch(options.domain))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--domain", required=True)


def watch(domain: str) -> None:
    now = datetime.now(timezone.utc)
    found = facts()
    release = layout.read_json(layout.CURRENT / "release.json")
    health = ask_health(domain, release["adapter"]["health"]) if release else "no release runs here"
    services = list(release["services"]) if release else []
    report = {"time": now.isoformat(timespec="seconds"), "problems": problems(found, health, services, now), "health": health or "healthy", **found}
    layout.write(layout.STATE / "monitor.json", json.dumps(report, indent=1) + "\n", 0o600)


def problems(found: dict[str, Any], health: str | None, services: list[str], now: datetime) -> list[str]:
    """One line a problem; none when all is well. `health`: the reason why the suite is not healthy."""
    lines = [f"health: {health}"] if health else []
    states = {container["service"]: container["health"] for container in found["containers"]}
    lines += [f"container {service}: {states.get(service, 'missing')}" for service in services
              if states.get(service) not in ("healthy", "running", "starting")]
    if found["disk"]["usedPercent"] > _DISK_PERCENT:
        lines.append(f"disk: {found['disk']['usedPercent']} % used")
    certificate = found["certificate"]
    if certificate is None or certificate["daysLeft"] < _CERTIFICATE_DAYS:
        lines.append(f"certificate: {certificate['daysLeft'] if certificate else 'no'} days left")
    backup = found["lastBackup"]
    if backup and now - datetime.fromisoformat(backup) > _BACKUP_AGE:
        lines.append(f"backup: the last good one is of {backup}")
    return lines


def ask_health(domain: str, rule: dict[str, str]) -> str | None:
    """Through the ingress of this machine, certificate and name verified unless its authority is unknown here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = HTTPSConnection("127.0.0.1", 443, timeout=10, context=context)
    try:
        connection.request("GET", rule["path"], headers={"Host": domain})
        body = connection.getresponse().read(100_000)
        value = json.loads(body).get(rule["field"])
    except (OSError, HTTPException, ValueError, AttributeError) as error:
        return f"{rule['path']}: {type(error).__name__}: {error}"
    finally:
        connection.close()
    return None if value == rule["equals"] else f"{rule['path']}: {rule['field']} is {value!r}: {body.decode(errors='replace')[:300]}"
