"""Timers of our own for the backup and the monitor; nobody else's crontab or unit is touched."""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import command as frame
from . import certificate, layout, predecessor
from .failure import Failure, say
from .process import run

_TEMPLATES = Path(__file__).parent.parent / "units"
_SYSTEMD = Path("/etc/systemd/system")
_STEP = "schedules"
TIMERS = ("geoclic-backup", "geoclic-monitor")


def command() -> None:
    frame.main("schedules", _options, lambda options: schedule(
        {"CLIENT": options.client, "DOMAIN": options.domain, "BACKUP": options.backup, "MINUTES": options.monitor_minutes}))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backup", required=True, help="local time of the daily backup, HH:MM")
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
    changed = []
    for template in sorted(_TEMPLATES.glob("geoclic-*")):
        unit = _SYSTEMD / template.name
        text = render(template.read_text(), values)
        if not unit.exists() or unit.read_text() != text:
            layout.write(unit, text)
            changed.append(unit.name)
    timers = [f"{name}.timer" for name in TIMERS]
    if not changed and all(_is_all(state, timers) for state in ("is-active", "is-enabled")):
        say(_STEP, "nothing to do")
        return
    _systemctl("daemon-reload")
    _systemctl("enable", "--quiet", *timers)
    # A timer that runs keeps its old times until it is restarted.
    _systemctl("restart", *timers)
    say(_STEP, f"backup at {values['BACKUP']}, check every {values['MINUTES']} min")


def _is_all(state: str, units: Sequence[str]) -> bool:
    """systemctl itself is content with one of several."""
    return all(run(["systemctl", state, "--quiet", unit]).status == 0 for unit in units)


def render(template: str, values: Mapping[str, str]) -> str:
    """A unit with its `@NAME@` filled in; a missing name is a KeyError."""
    return re.sub(r"@([A-Z]+)@", lambda match: values[match.group(1)], template)


def _check(values: Mapping[str, str]) -> None:
    rules = {
        "BACKUP": (r"([01]\d|2[0-3]):[0-5]\d", "HH:MM, e.g. 02:00"),
        "MINUTES": (r"[1-9]|[1-5]\d|60", "1 to 60"),
        "DOMAIN": (r"[a-z0-9-]+(\.[a-z0-9-]+)+", "a host name"),
    }
    for name, (pattern, expected) in rules.items():
        if not re.fullmatch(pattern, values[name]):
            raise Failure("INPUT_INVALID", _STEP, f"{name.lower()} is {values[name]!r}, expected {expected}",
                          "correct the schedules in the stack file.")


def _systemctl(*words: str) -> None:
    result = run(["systemctl", *words])
    if result.status != 0:
        raise Failure("UNIT_FAILED", _STEP, f"systemctl {' '.join(words)}: {result.said}",
                      "look at `systemctl status` on the server.")
