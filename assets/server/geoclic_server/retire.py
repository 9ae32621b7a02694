"""The end of a town's server: a last backup that nothing is added to, then no schedule and no container of ours.

Volumes, backups, certificates and secrets stay on the disk. Each part may be run again after an interruption.
"""

import argparse
import json
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import backup, boot, layout
from . import command as frame
from .compose import Container, containers
from .failure import Failure, one_line, say
from .lock import operation
from .process import run

_STEP = "retire"
_SYSTEMD = Path("/etc/systemd/system")
_RENEWALS = Path("/etc/letsencrypt/renewal")
_UNITS = ("geoclic.service", "geoclic-backup.timer", "geoclic-backup.service", "geoclic-monitor.timer", "geoclic-monitor.service")
"""The firewall's stays: the machine still stands on the internet."""
_STOP_SECONDS = 60
_LOOK_SECONDS = 20
"""The monitor's look takes less."""
_CLOSING = "closing.json"
"""While the door is closed and the town is not at its end: {doors: ids of the containers that were stopped, exportedAt?: seconds since 1970}."""
_CLOSING_LOCK = "closing.lock"
_FETCH_SECONDS = 12 * 3600
"""What the operator's side may take from the backup to the end; then the town opens again, and is backed up once more."""
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def command() -> None:
    frame.main("retire", _options, _work)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "export: the last backup, told as one line of JSON; stop: no schedules and no containers any more"
    parser.add_argument("--closed", action="store_true", help="stop only if nobody opened the town again since its export")
    parser.add_argument("part", choices=["export", "stop"])


def _work(options: frame.Options) -> None:
    if options.part == "stop":
        return stop(is_closed=options.closed)
    print(json.dumps(export(options.client)), flush=True)


def export(client: str) -> dict[str, Any]:
    """Closes the door, then backs up; whatever ends it earlier opens the door again. {folder, createdAt, tables, rows, photos, files}."""
    release_id = layout.running_release()
    if release_id is None:
        raise Failure("NOT_ACTIVATED", _STEP, "no release ever ran here, there is nothing of ours to back up",
                      "run again with --without-backup.")
    with operation("the last backup of this town", path=layout.STATE / _CLOSING_LOCK), _ended_by_signals():
        try:
            _close(layout.read_release(release_id))
            folder = backup.back_up(client)
            _note_closed(_closed(), exported=True)
        except BaseException:
            _open_again()
            raise
    return told(folder)


def reopen_if_left() -> bool:
    """Opens the door that an export closed whose process is gone, or that no end of the town followed in time. True when it did.

    For the monitor; a boot starts everything by itself.
    """
    if not (layout.STATE / _CLOSING).exists():
        return False
    try:
        with operation("the opening of this town", path=layout.STATE / _CLOSING_LOCK):
            marker = layout.read_json(layout.STATE / _CLOSING) or {}
            age = time.time() - marker.get("exportedAt", 0)
            return not 0 <= age < _FETCH_SECONDS and _open_again()
    except Failure as failure:
        if failure.code == "BUSY":
            return False
        raise


def told(folder: Path) -> dict[str, Any]:
    """What the operator's side needs to fetch a backup and to prove that it has it whole."""
    manifest = json.loads((folder / "manifest.json").read_text())
    parts = [manifest["database"], manifest["files"]]
    return {
        "folder": folder.name,
        "createdAt": manifest["createdAt"],
        "tables": len(manifest["database"]["tables"]),
        "rows": sum(manifest["database"]["tables"].values()),
        "photos": manifest["files"]["count"],
        "files": [{key: part[key] for key in ("file", "bytes", "sha256")} for part in [*parts, backup.content(folder / "manifest.json")]],
    }


def _close(release: dict[str, Any]) -> None:
    """Stops what answers the internet, so that nothing is added after the backup. What is closed is noted first."""
    open_ones = _open_doors(release)
    _note_closed([*_closed(), *(one.id for one in open_ones)], exported=False)
    _docker("stop", open_ones)
    if open_ones:
        say(_STEP, "the town answers no more")


def _closed() -> list[str]:
    """Ids of containers that an export has stopped."""
    marker = layout.read_json(layout.STATE / _CLOSING)
    return list(marker["doors"]) if isinstance(marker, dict) else []


def _note_closed(doors: Sequence[str], *, exported: bool) -> None:
    when = {"exportedAt": int(time.time())} if exported else {}
    layout.write(layout.STATE / _CLOSING, json.dumps({"doors": list(dict.fromkeys(doors)), **when}) + "\n", 0o600)


def _open_again() -> bool:
    """False while another operation goes on, an activation that has its ingress in hand: the note stays then, for the monitor.

    Raises Failure START_FAILED; the note stays too.
    """
    doors = _closed() if not (layout.STATE / "retired.json").exists() else []
    if doors:
        try:
            with operation("the opening of this town", _LOOK_SECONDS):
                started = [run(["docker", "start", door]) for door in doors]
        except Failure as failure:
            if failure.code != "BUSY":
                raise
            say(_STEP, f"the town opens later: {failure.cause}")
            return False
        if any(each.status != 0 for each in started):
            # Another container is there by now, or none.
            boot.start()
        say(_STEP, "the town is open again")
    layout.remove(layout.STATE / _CLOSING)
    return True


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A line that is lost, or a wish to end: an exception as any other, once."""
    def end(number: int, _frame: object) -> None:
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Failure("CANCELLED", _STEP, f"ended by {signal.Signals(number).name}", "run again when it shall go on.")

    former = {each: signal.signal(each, end) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in former.items():
            signal.signal(each, handler)


def _open_doors(release: dict[str, Any]) -> list[Container]:
    doors = {service for service, described in release["services"].items() if described.get("ingress")}
    return [one for one in containers(release["project"]) if one.service in doors and one.is_running]


def stop(*, is_closed: bool = False) -> None:
    """`is_closed`: the town was closed by `export`. Raises Failure REOPENED, BUSY, UNIT_FAILED or CONTAINERS_STAY."""
    def waits(who: str) -> None:
        say(_STEP, f"waits for {who}")

    # The monitor opens no door from here on.
    with operation("the end of this town", 600, waits, path=layout.STATE / _CLOSING_LOCK), operation("the end of this town", 600, waits):
        release_id = layout.running_release()
        release = layout.read_release(release_id) if release_id is not None else None
        if is_closed and release and _open_doors(release):
            raise Failure("REOPENED", _STEP, "the town was opened again after its last backup", "run again: it is backed up once more.")
        _forget_units()
        _forget_renewal()
        if release:
            _remove_containers(release)
        layout.write(layout.STATE / "retired.json", json.dumps({"retiredAt": int(time.time())}) + "\n", 0o600)
        layout.remove(layout.STATE / _CLOSING)


def _forget_units() -> None:
    present = [unit for unit in _UNITS if (_SYSTEMD / unit).exists()]
    if not present:
        return say(_STEP, "no schedules are left")
    _systemctl("disable", "--quiet", *[unit for unit in present if not unit.endswith(("-backup.service", "-monitor.service"))])
    _systemctl("stop", *present)
    for unit in present:
        (_SYSTEMD / unit).unlink()
    _systemctl("daemon-reload")
    say(_STEP, f"{', '.join(present)} removed")


def _forget_renewal() -> None:
    """Certbot only reads *.conf; the certificates stay."""
    for renewal in sorted(_RENEWALS.glob("*.conf")):
        if str(layout.ACME) in renewal.read_text():
            renewal.rename(renewal.with_suffix(".conf.retired"))
            say(_STEP, f"{renewal.stem} is renewed no more")


def _remove_containers(release: dict[str, Any]) -> None:
    found = in_order_of_end(list(release["services"]), containers(release["project"]))
    for one in found:
        _docker("stop", [one])
        _docker("rm", [one])
    left = containers(release["project"])
    if left:
        raise Failure("CONTAINERS_STAY", _STEP, f"{', '.join(one.service for one in left)} came back while they were removed",
                      "look at what starts them on the server (`docker ps`), then run again.")
    networks = run(["docker", "network", "ls", "-q", "--filter", f"label=com.docker.compose.project={release['project']}"])
    for network in networks.stdout.split():
        run(["docker", "network", "rm", network])
    say(_STEP, f"{len(found)} containers removed; volumes and {layout.SHARED} stay")


def in_order_of_end(services: Sequence[str], found: Sequence[Container]) -> list[Container]:
    """What stands in front ends first, the database last; strangers of the project before all."""
    place = {service: index for index, service in enumerate(services)}
    return sorted(found, key=lambda one: place.get(one.service, len(services)), reverse=True)


def _docker(verb: str, chosen: Sequence[Container]) -> None:
    for one in chosen:
        options = ["-t", str(_STOP_SECONDS)] if verb == "stop" else []
        ended = run(["docker", verb, *options, one.id], timeout=_STOP_SECONDS + 60)
        if ended.status != 0 and "No such container" not in ended.stderr:
            raise Failure("CONTAINERS_STAY", _STEP, f"docker {verb} {one.service}: {one_line(ended.said, 300)}",
                          "look at Docker on the server, then run again.")


def _systemctl(*words: str) -> None:
    result = run(["systemctl", *words])
    if result.status != 0:
        raise Failure("UNIT_FAILED", _STEP, f"systemctl {' '.join(words)}: {result.said}", "look at `systemctl status` on the server.")
