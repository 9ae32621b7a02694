"""Timers of our own for the backup and the monitor; nobody else's crontab or unit is touched."""

import argparse
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from . import command as frame
from . import certificate, layout, predecessor, systemd
from .failure import Failure, say

_TEMPLATES = Path(__file__).parent.parent / "units"
_SYSTEMD = Path("/etc/systemd/system")
_STAMPS = Path("/var/lib/systemd/timers")
"""Where systemd keeps when a persistent timer last went off."""
_STEP = "schedules"
TIMERS = ("geoclic-backup", "geoclic-monitor")


def command() -> None:
    frame.main("schedules", _options, lambda options: schedule(
        {"CLIENT": options.client, "DOMAIN": options.domain, "BACKUP": options.backup, "MINUTES": options.monitor_minutes}))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backup", required=True, help="local time of the daily backup, HH:MM outside 02:00 to 02:59")
    parser.add_argument("--monitor-minutes", required=True, help="minutes between two checks, 1 to 60")
    parser.add_argument("--domain", required=True)


def schedule(values: Mapping[str, str]) -> None:
    """Raises Failure INPUT_INVALID or UNIT_FAILED, and RENEWAL_UNFIT or PREDECESSOR_RUNS on a server that is adopted."""
    _check(values)
    _set_timers(values)
    _put_predecessor_away()


def _put_predecessor_away() -> None:
    """Its own schedules go when ours are there, and only where a release of ours was proven from outside."""
    running = layout.running_release()
    if running is None or not predecessor.is_left():
        return
    certificate.prove_webroot()
    release = layout.read_release(running)
    predecessor.put_away(release["project"], list(release["services"]))


def _set_timers(values: Mapping[str, str]) -> None:
    wanted = {_SYSTEMD / template.name: render(template.read_text(), values) for template in sorted(_TEMPLATES.glob("geoclic-*"))}
    changed = {unit: text for unit, text in wanted.items() if not unit.exists() or unit.read_text() != text}
    timers = [f"{name}.timer" for name in TIMERS]
    if not changed and systemd.all_active(timers) and systemd.all_enabled(timers):
        say(_STEP, "nothing to do")
        return
    # Before a timer that works is replaced.
    for text in changed.values():
        for expression in re.findall(r"^OnCalendar=(.+)$", text, re.MULTILINE):
            systemd.prove_calendar(_STEP, expression)
    for unit, text in changed.items():
        layout.write(unit, text)
        _count_from_now(unit.name)
    systemd.tell(_STEP, "daemon-reload")
    systemd.tell(_STEP, "enable", "--quiet", *timers)
    # A timer that runs keeps its old times until it is restarted.
    systemd.tell(_STEP, "restart", *timers)
    say(_STEP, f"backup at {values['BACKUP']}, check every {values['MINUTES']} min")


def _count_from_now(unit: str) -> None:
    """A persistent timer that is moved to an earlier hour would make up at once, in every town, for a time that it never had."""
    with suppress(FileNotFoundError):
        os.utime(_STAMPS / f"stamp-{unit}")


def render(template: str, values: Mapping[str, str]) -> str:
    """A unit with its `@NAME@` filled in; a missing name is a KeyError."""
    known = {**values, "EVERY": calendar(int(values["MINUTES"]))} if "MINUTES" in values else values
    return re.sub(r"@([A-Z]+)@", lambda match: known[match.group(1)], template)


def calendar(minutes: int) -> str:
    """Every so many minutes, as systemd says it; in UTC, where no hour is missing or doubled by the change of summer time."""
    return "hourly UTC" if minutes == 60 else f"*-*-* *:00/{minutes}:00 UTC"


def _check(values: Mapping[str, str]) -> None:
    rules = {
        # Local clocks have no 02:30 on the night of the change to summer time.
        "BACKUP": (r"(0[013-9]|1\d|2[0-3]):[0-5]\d", "HH:MM outside 02:00 to 02:59, e.g. 01:30"),
        "MINUTES": (r"[1-9]|[1-5]\d|60", "1 to 60"),
        "DOMAIN": (r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a host name"),
    }
    for name, (pattern, expected) in rules.items():
        if not re.fullmatch(pattern, values[name]):
            raise Failure("INPUT_INVALID", _STEP, f"{name.lower()} is {values[name]!r}, expected {expected}",
                          "correct the schedules in the stack file.")
