"""The regular check of a town: what can be put right is, what is wrong then is told, as JSON in the state folder.

Each look is on its own and written down when it is done: one that fails is a finding, one that hangs leaves the others'
findings and an old time, never a "no problem" of yesterday.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import certificate, firewall, layout, maintenance, migrating, record, retire, settling, systemd, tls, town
from . import command as frame
from .backup import last_backup
from .compose import Container, containers
from .database import Database
from .failure import Failure, known, one_line, say
from .lock import operation
from .machine import disk_percents, inode_percents, memory_percent
from .migrations import Apart
from .process import run

_STEP = "monitor"
_DISK_PERCENT = 90
_MEMORY_PERCENT = 95
_CERTIFICATE_DAYS = 14
_BACKUP_HOURS = 26
_EXCHANGE_SECONDS = 60
"""What is down longer than this in the midst of a run is told."""
PATH = layout.STATE / "monitor.json"
_DAEMON = Path("/etc/docker/daemon.json")
_UNITS = ("docker.service", "geoclic.service", "geoclic-firewall.service", "geoclic-backup.timer", "geoclic-monitor.timer", "certbot.timer")

Problem = dict[str, str]
"""code: capitals. item: which one, in no language. text: for people who read it on the server."""
Look = Callable[[], list[Problem]]


def command() -> None:
    frame.main("monitor", _options, lambda options: check(options.client, options.domain, options.minutes))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--domain", required=True)
    parser.add_argument("--minutes", type=int, default=5, help="until the next check, by which an old report is known")


def check(client: str, domain: str, minutes: int = 5) -> None:
    """Writes monitor.json; a problem of the town is a finding, not a failure of the check."""
    release_id = layout.running_release()
    problems = _work_through({} if release_id is None else _looks(domain), {"client": client, "everyMinutes": minutes, "release": release_id})
    for problem in problems:
        say(_STEP, f"{problem['code']}: {problem['text']}")
    if not problems:
        say(_STEP, "no problem")


def _looks(domain: str) -> dict[str, Look]:
    """In this order: what asks nobody first, what puts right before what judges."""
    return {
        "machine": lambda: machine_problems(disk_percents(), inode_percents(), memory_percent()),
        "backup": lambda: backup_problems(last_backup(), running_seconds(), time.time()),
        "firewall": _firewall,
        "units": _units,
        "translation": _translation,
        "door": _door,
        "leftovers": _leftovers,
        "schema": _schema,
        "certificate": lambda: _certificate(domain),
        "containers": lambda: _settled(_containers),
        "health": lambda: _settled(lambda is_busy: _health(is_busy, domain)),
    }


def _work_through(looks: Mapping[str, Look], about: Mapping[str, Any]) -> list[Problem]:
    """Of a look that is still to come, the report keeps what the former check found."""
    before = layout.read_json(PATH)
    former = before if isinstance(before, dict) else {}
    found: dict[str, list[Problem]] = {name: former.get("looks", {}).get(name, []) for name in looks}
    pending, began = list(looks), _now()
    _note(about, found, pending, began, former.get("checkedAt"))
    for name, look in looks.items():
        try:
            found[name] = look()
        except Exception as error:
            failure = known(error, _STEP)
            found[name] = [_problem("LOOK_FAILED", f"{name}: {one_line(failure.cause, 300)} ({failure.code})")]
        pending.remove(name)
        if pending:
            _note(about, found, pending, began, former.get("checkedAt"))
    _write(about, found, [], began, _now())
    return [problem for each in found.values() for problem in each]


def _note(about: Mapping[str, Any], found: Mapping[str, list[Problem]], pending: list[str], began: str, checked: str | None) -> None:
    """On a full disk what can be put right is put right all the same; the report grows old."""
    with suppress(OSError):
        _write(about, found, pending, began, checked)


def _write(about: Mapping[str, Any], found: Mapping[str, list[Problem]], pending: list[str], began: str, checked: str | None) -> None:
    report = {"format": 1, **about, "startedAt": began, "checkedAt": checked, "pending": pending,
              "problems": [problem for each in found.values() for problem in each], "looks": found}
    layout.write(PATH, json.dumps(report, ensure_ascii=False, indent=2) + "\n", 0o600)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def _settled(judge: Callable[[bool], list[Problem]]) -> list[Problem]:
    """Judged while nobody exchanges anything; `judge` is told whether somebody does. In the midst of a run only what stays wrong counts."""
    end = time.monotonic() + _EXCHANGE_SECONDS
    while True:
        with ExitStack() as held:
            is_busy = not _is_alone(held)
            problems = judge(is_busy)
        if not problems or not is_busy or time.monotonic() > end:
            return problems
        time.sleep(1)


def _is_alone(held: ExitStack) -> bool:
    try:
        held.enter_context(operation("a look at the town"))
    except Failure as failure:
        if failure.code != "BUSY":
            raise
        return False
    return True


def _containers(is_busy: bool) -> list[Problem]:
    # First what ends last: a commit in between takes nothing away.
    noted, behind_page = (record.read(), maintenance.opened() is not None) if is_busy else (None, False)
    release = _running()
    coming = (layout.read_json(layout.release_folder(noted.release) / "release.json") or {}).get("services", {}) if noted else {}
    # Behind the page of a run that goes on, those that write are stopped on purpose.
    wanted = {service: {rules["image"], coming.get(service, rules)["image"]} for service, rules in release["services"].items()
              if not behind_page or rules["stateful"] or rules["ingress"]}
    return container_problems(wanted, containers(release["project"]))


def _health(is_busy: bool, domain: str) -> list[Problem]:
    if is_busy and maintenance.opened():
        # The public sees the page because a run shows it.
        return []
    health = town.health_problem(domain, _running()["adapter"]["health"])
    return [_problem("UNHEALTHY", health)] if health else []


def _running() -> dict[str, Any]:
    """As it is at this moment: a run may have committed since the check began."""
    release_id = layout.running_release()
    if release_id is None:
        raise Failure("NOT_ACTIVATED", _STEP, "no release runs here any more", "run `pulumi up`.")
    return layout.read_release(release_id)


def _door() -> list[Problem]:
    """What an export closed whose process is gone."""
    retire.reopen_if_left()
    return []


def _leftovers() -> list[Problem]:
    """What an interrupted run left; whoever works here now settles it himself."""
    try:
        with operation("settling what was left"):
            return [_problem("LEFT_BY_A_RUN", text) for text in settling.settle()]
    except Failure as failure:
        if failure.code != "BUSY":
            raise
    return []


def _schema() -> list[Problem]:
    """Whoever works here now migrates himself, or restores."""
    try:
        with operation("a look at the schema"):
            release = _running()
            return schema_problems(migrating.apart(Database(release).attach(), layout.release_folder(release["id"]) / "suite"))
    except Failure as failure:
        # A database that does not run is told by the look at the containers.
        if failure.code not in ("BUSY", "CONTAINER_MISSING"):
            raise
    return []


def _certificate(domain: str) -> list[Problem]:
    """The ingress serves what certbot has; it is told again where a reload failed."""
    problems = []
    try:
        certificate.deploy(domain)
    except Failure as failure:
        if failure.code not in ("BUSY", "CERTIFICATE_NOT_SERVED"):
            problems.append(_problem(failure.code, one_line(failure.cause, 300)))
    return problems + certificate_problems(tls.placed_facts(), tls.shown_facts(domain))


def _firewall() -> list[Problem]:
    reason = firewall.put_back()
    return [_problem("FIREWALL_OFF", reason)] if reason else []


def _units() -> list[Problem]:
    """What brings the town up after a reboot, and keeps it."""
    return [_problem("UNIT_OFF", unit, f"{unit} is not enabled") for unit in systemd.not_enabled(_UNITS)]


def _translation() -> list[Problem]:
    configured = layout.read_json(_DAEMON)
    if isinstance(configured, dict) and configured.get("iptables") is False:
        return []
    rules, tables = run(["iptables", "-t", "nat", "-S", "POSTROUTING"]), run(["nft", "list", "tables"])
    return translation_problems(rules.stdout if rules.status == 0 else None, tables.stdout)


def container_problems(wanted: Mapping[str, Collection[str]], found: list[Container]) -> list[Problem]:
    """A service without a healthy container of one of its `wanted` images; stopped ones beside it do not matter."""
    problems = []
    for service, images in wanted.items():
        own = [container for container in found if container.service == service]
        if not any(container.is_fine and container.image in images for container in own):
            states = ", ".join(sorted({container.condition for container in own})) or "no container"
            problems.append(_problem("SERVICE_DOWN", f"{service}: {states}"))
    return problems


def machine_problems(disks: dict[str, int], inodes: dict[str, int], memory: int) -> list[Problem]:
    full = [_problem("DISK_FULL", f"{path}: {used} %", f"{path} is {used} % full") for path, used in disks.items() if used > _DISK_PERCENT]
    crowded = [_problem("INODES_FULL", f"{path}: {used} %", f"{path} has {used} % of the files that it may have") for path, used in inodes.items() if used > _DISK_PERCENT]
    short = [_problem("MEMORY_SHORT", f"{memory} %", f"{memory} % of the memory is used")] if memory > _MEMORY_PERCENT else []
    return full + crowded + short


def certificate_problems(placed: dict[str, Any] | None, served: dict[str, Any] | None) -> list[Problem]:
    """What is served counts; the file only where nobody answers."""
    judged = served or placed
    if judged is None:
        return [_problem("CERTIFICATE_MISSING", "", "there is no certificate")]
    problems = []
    if served and placed and served["serial"] != placed["serial"]:
        problems.append(_problem("CERTIFICATE_NOT_SERVED", f"{served['serial']} → {served['notAfter'][:10]}",
                                 f"{served['serial']} is served, which ends {served['notAfter']}, and not {placed['serial']}"))
    if judged["daysLeft"] < _CERTIFICATE_DAYS:
        problems.append(_problem("CERTIFICATE_ENDS", judged["notAfter"][:10], f"the certificate ends in {judged['daysLeft']:.0f} days"))
    return problems


def schema_problems(found: Apart) -> list[Problem]:
    behind, ahead = ", ".join(found.lacking), ", ".join(found.foreign)
    return ([_problem("SCHEMA_BEHIND", behind, f"the database lacks {behind}, which the running release brings: `geoclic-fleet drift --fix` applies them")] if behind else []) + (
        [_problem("SCHEMA_AHEAD", ahead, f"the database has {ahead}, which the running release cannot run with: go to a release that has them")] if ahead else [])


def translation_problems(rules: str | None, tables: str) -> list[Problem]:
    """`flush ruleset` takes Docker's rules too, and Docker only makes them when it starts. `rules` None: they cannot be seen here."""
    if rules is None or "MASQUERADE" in rules or "docker-bridges" in tables:
        return []
    return [_problem("DOCKER_RULES_GONE", "", "Docker's address translation is gone, containers reach nothing outside: `systemctl restart docker` brings it back, containers run on")]


def backup_problems(last: dict[str, Any] | None, running: float, now: float) -> list[Problem]:
    """A failed run, or no good backup for too long; a town that is younger than that has none yet."""
    if last and last.get("outcome") == "failed":
        return [_problem("BACKUP_FAILED", f"{last.get('code')}: {last.get('cause')}")]
    newest = last.get("newest") if last else None
    made = datetime.fromisoformat(newest["createdAt"]).timestamp() if newest else None
    age = running if made is None else now - made
    old = [_problem("BACKUP_OLD", f"{age / 3600:.0f} h", f"no backup for {age / 3600:.0f} h")] if age > _BACKUP_HOURS * 3600 else []
    fell = last.get("kept") if last else None
    return old + ([_problem("ROWS_FELL", f"{fell['rows']} → {fell['now']}", f"backup {fell['folder']} had {fell['rows']} rows, now there are {fell['now']}: "
                            "it is kept until a person has looked and removes it")] if fell else [])


def running_seconds() -> float:
    """Since the present release was activated."""
    return time.time() - os.lstat(layout.CURRENT).st_mtime


def silence(report: Any, running: float | None, now: float) -> list[Problem]:
    """An old report is a problem too. `running`: seconds since the activation; None: no release runs, nobody checks."""
    if running is None:
        return []
    told = report if isinstance(report, dict) else {}
    try:
        # A clock that was set back makes a report of a time to come, which says as little as an old one.
        age = min(running, abs(now - datetime.fromisoformat(told["checkedAt"]).timestamp()))
    except (KeyError, TypeError, ValueError):
        age = running
    if age <= (2 * told.get("everyMinutes", 5) + 5) * 60:
        return []
    pending = told.get("pending") or []
    where = f"; the one of {told.get('startedAt')} stopped at: {pending[0]}" if pending else ""
    return [_problem("MONITOR_SILENT", f"{age / 60:.0f} min", f"no check ended for {age / 60:.0f} min{where}")]


def _problem(code: str, item: str, text: str | None = None) -> Problem:
    return {"code": code, "item": item, "text": text or item}
