"""Brings the running release's containers up: at boot, and whenever the Docker Engine has been started.

Docker may leave containers down that ran when it was killed, and knows nothing of those that an activation had stopped.
What a run that was cut left unproven goes (`settling.py`); nothing else is recreated or removed here.
"""

import argparse
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from . import command as frame
from . import certificate, detour, layout, lifecycle, made, predecessor, record, settling, systemd, undo
from .compose import Container, Release, compose, config_hashes
from .failure import Failure, one_line, say
from .lock import operation
from .process import run

_STEP = "boot"
_UNITS = Path(__file__).parent.parent / "units"
_SYSTEMD = Path("/etc/systemd/system")
_ACTIVATION_SECONDS = 600
"""Less than the unit's own limit."""
_LOOK_SECONDS = 20
"""The monitor's look takes less, and ends before this gives up its turn."""


def command() -> None:
    frame.main("start-suite", _options, lambda _options: start())


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "starts what is down of the running release, recreates nothing"


def start() -> None:
    """Raises Failure START_FAILED when a container does not start, BUSY while an activation goes on: systemd tries again."""
    release_id = layout.running_release() or predecessor.opened() or record.committed_release()
    if release_id is None:
        say(_STEP, "no release runs here yet")
        return
    certificate.at_boot()
    with ExitStack() as held:
        is_alone = _take_turn(held)
        problems = settling.put_back() if is_alone else []
        failed = _start_down(layout.read_release(record.committed_release() or layout.running_release() or release_id))
        if is_alone:
            problems = settling.settle()
    for problem in problems:
        say(_STEP, f"warning: {problem}")
    if failed:
        raise Failure("START_FAILED", _STEP, "; ".join(failed), "look at `docker ps -a` on the server.")


def _take_turn(held: ExitStack) -> bool:
    """An activation starts what it needs itself: its end is waited for. Beside a backup only what is down is started."""
    began = time.monotonic()
    while True:
        try:
            held.enter_context(operation("the start of the suite"))
            return True
        except Failure:
            is_activation = run(["systemctl", "is-active", "--quiet", "geoclic-activate"]).status == 0
        waited = time.monotonic() - began
        if not is_activation and waited > _LOOK_SECONDS:
            return False
        if waited > _ACTIVATION_SECONDS:
            raise Failure("BUSY", _STEP, "an activation is going on", "systemd tries again.")
        time.sleep(2)


def _start_down(release: Release) -> list[str]:
    """What did not start."""
    services = list(release["services"])
    if undo.is_held():
        # Behind the page, on a database that is half changed: nobody else.
        services = [service for service in services if release["services"][service]["stateful"] or release["services"][service]["ingress"]]
    noted = record.opened()
    kept = {identity for each in noted.services.values() for identity in each.containers} if noted else set()
    chosen, missing = to_start(services, _hashes(release), made.present(release), kept)
    failed = []
    for container in chosen:
        is_stateful = release["services"][container.service]["stateful"]
        try:
            (lifecycle.start_alone if is_stateful else lifecycle.start)(container)
        except Failure as failure:
            failed.append(failure.cause)
    # At an adoption that was cut, what the predecessor has not is not made either.
    if missing and layout.running_release():
        made_now = compose(release, "up", "-d", "--no-recreate", "--no-build", "--no-deps", "--pull", "never", *missing, environment=layout.running_environment())
        if made_now.status != 0:
            failed.append(f"{', '.join(missing)}: {one_line(made_now.said, 300)}")
    if chosen and not any(release["services"][container.service]["ingress"] for container in chosen):
        # The ingress ran on and knows where they were before.
        with suppress(Failure):
            detour.relearn(release)
    say(_STEP, f"{len(chosen)} started, {len(missing)} made" if chosen or missing else "everything runs")
    return failed


def _hashes(release: Release) -> Mapping[str, str]:
    """Without them the containers that are proven are told by Docker's restart policy."""
    try:
        return config_hashes(release, layout.running_environment())
    except Failure as failure:
        say(_STEP, f"warning: {failure.cause}")
        return {}


def to_start(services: Sequence[str], hashes: Mapping[str, str], found: Sequence[Container], kept: Collection[str] = ()) -> tuple[list[Container], list[str]]:
    """Containers to start, and services that have none.

    Only services of which nothing runs; of several containers one that is noted (`kept`), the running release's one, a proven one, the newest.
    """
    chosen, missing = [], []
    for service in services:
        own = [container for container in found if container.service == service]
        if not own:
            missing.append(service)
        elif not any(container.is_running for container in own):
            chosen.append(max(own, key=lambda container: (container.id in kept, container.config_hash == hashes.get(service),
                                                          lifecycle.is_proven(container), container.created)))
    return chosen, missing


def install(client: str) -> None:
    """The unit that calls `start`. Docker's service pulls it in each time it is started, a restart after a crash included."""
    template = (_UNITS / "geoclic.service").read_text()
    unit = _SYSTEMD / "geoclic.service"
    text = template.replace("@CLIENT@", client)
    # Between its text and its link an earlier run may have been cut.
    if unit.exists() and unit.read_text() == text and not systemd.not_enabled(["geoclic.service"]):
        return
    is_another = unit.exists() and predecessor.is_its_unit(unit.read_text())
    if is_another:
        predecessor.keep_unit()
        # Its links; stopped it must not be before ours is read: its own words would stop the suite.
        run(["systemctl", "disable", "--quiet", "geoclic.service"])
    layout.write(unit, text)
    stop = [["stop", "geoclic.service"]] if is_another else []
    for words in (["daemon-reload"], *stop, ["enable", "--quiet", "geoclic.service"]):
        result = run(["systemctl", *words])
        if result.status != 0:
            raise Failure("UNIT_FAILED", _STEP, f"systemctl {' '.join(words)}: {result.said}", "look at `systemctl status` on the server.")
