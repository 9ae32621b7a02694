"""Brings the running release's containers up: at boot, and whenever the Docker Engine has been started.

Docker may leave containers down that ran when it was killed. Nothing is recreated or removed here.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import command as frame
from . import handover, layout, predecessor
from .compose import Container, compose, config_hashes, containers
from .failure import Failure, one_line, say
from .process import run

_STEP = "boot"
_UNITS = Path(__file__).parent.parent / "units"
_SYSTEMD = Path("/etc/systemd/system")


def command() -> None:
    frame.main("start-suite", _options, lambda _options: start())


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "starts what is down of the running release, recreates nothing"


def start() -> None:
    """Raises Failure START_FAILED when a container does not start."""
    release_id = layout.running_release() or predecessor.opened()
    if release_id is None:
        say(_STEP, "no release runs here yet")
        return
    if run(["systemctl", "is-active", "--quiet", "geoclic-activate"]).status == 0:
        say(_STEP, "an activation is going on, which starts what is needed")
        return
    release = layout.read_release(release_id)
    chosen, missing = to_start(list(release["services"]), config_hashes(release), containers(release["project"]))
    failed = []
    for container in chosen:
        started = run(["docker", "start", container.id])
        if started.status != 0:
            failed.append(f"{container.service}: {one_line(started.said, 300)}")
    if missing:
        made = compose(release, "up", "-d", "--no-recreate", "--no-build", "--no-deps", "--pull", "never", *missing)
        if made.status != 0:
            failed.append(f"{', '.join(missing)}: {one_line(made.said, 300)}")
    handover.settle(release)
    if failed:
        raise Failure("START_FAILED", _STEP, "; ".join(failed), "look at `docker ps -a` on the server.")
    say(_STEP, f"{len(chosen)} started, {len(missing)} made" if chosen or missing else "everything runs")


def to_start(services: Sequence[str], hashes: Mapping[str, str], found: Sequence[Container]) -> tuple[list[Container], list[str]]:
    """Containers to start, and services that have none.

    Only services of which nothing runs; of several containers the running release's one, else the newest.
    """
    chosen, missing = [], []
    for service in services:
        own = [container for container in found if container.service == service]
        if not own:
            missing.append(service)
        elif not any(container.is_running for container in own):
            chosen.append(max(own, key=lambda container: (container.config_hash == hashes.get(service), container.created)))
    return chosen, missing


def install(client: str) -> None:
    """The unit that calls `start`. Docker's service pulls it in each time it is started, a restart after a crash included."""
    template = (_UNITS / "geoclic.service").read_text()
    unit = _SYSTEMD / "geoclic.service"
    text = template.replace("@CLIENT@", client)
    if unit.exists() and unit.read_text() == text:
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
