"""Our own timers for backup and monitoring. Nobody's crontab is touched."""

import argparse
import re
from pathlib import Path

from . import command as frame
from . import layout
from .failure import Failure, say
from .process import run

_UNITS = Path("/etc/systemd/system")
NAMES = ("geoclic-backup", "geoclic-monitor")


def command() -> None:
    frame.main("schedules", _options, lambda options: install(options.client, options.domain, options.backup, options.monitor_minutes))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--domain", required=True)
    parser.add_argument("--backup", required=True, help="time of the day, HH:MM")
    parser.add_argument("--monitor-minutes", required=True, type=int)


def units(client: str, domain: str, backup: str, monitor_minutes: int) -> dict[str, str]:
    """Text of each unit by its file name."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", backup) or not 1 <= monitor_minutes <= 60:
        raise Failure("INPUT_INVALID", "schedules", f"got {backup!r} and {monitor_minutes}", "give HH:MM and 1 to 60 minutes.")

    def service(what: str, name: str, options: str) -> str:
        return (f"[Unit]\nDescription={what} of {client}\nAfter=docker.service\n\n[Service]\nType=oneshot\nNice=10\nIOSchedulingClass=idle\n"
                f"TimeoutStartSec=7200\nExecStart={layout.SCRIPTS}/{name} --client {client}{options}\n")

    def timer(what: str, when: str) -> str:
        return f"[Unit]\nDescription=Timer: {what} of {client}\n\n[Timer]\n{when}\n\n[Install]\nWantedBy=timers.target\n"

    return {
        "geoclic-backup.service": service("Daily backup", "backup", ""),
        "geoclic-backup.timer": timer("daily backup", f"OnCalendar=*-*-* {backup}:00\nRandomizedDelaySec=120\nPersistent=true"),
        "geoclic-monitor.service": service("Monitoring", "monitor", f" --domain {domain}"),
        "geoclic-monitor.timer": timer("monitoring", f"OnBootSec=120\nOnActiveSec={monitor_minutes}min\nOnUnitActiveSec={monitor_minutes}min"),
    }


def install(client: str, domain: str, backup: str, monitor_minutes: int) -> None:
    changed = []
    for name, text in units(client, domain, backup, monitor_minutes).items():
        path = _UNITS / name
        if not path.exists() or path.read_text() != text:
            layout.write(path, text)
            changed.append(name)
    timers = [f"{name}.timer" for name in NAMES]
    for words in (["daemon-reload"], ["enable", *timers], ["restart" if changed else "start", *timers]):
        result = run(["systemctl", *words])
        if result.status != 0:
            raise Failure("UNIT_FAILED", "schedules", result.said, "look at `systemctl status` on the server.")
    say("schedules", f"backup at {backup}, monitoring every {monitor_minutes} minutes")
