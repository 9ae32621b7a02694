"""The suite comes back with the machine, and with the Docker Engine after it was killed."""

import argparse
import fcntl
from pathlib import Path

from . import command as frame
from . import layout
from .compose import compose
from .failure import Failure, say
from .process import run

_UNIT = Path("/etc/systemd/system/geoclic.service")
_DROP_IN = Path("/etc/systemd/system/docker.service.d/geoclic.conf")


def command() -> None:
    frame.main("start-suite", _options, lambda _options: start())


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "starts what does not run, recreates nothing"


def start() -> None:
    """Starts the containers of the running release; an activation that goes on knows better."""
    release = layout.running_release()
    if release is None:
        say("start-suite", "no release runs here yet")
        return
    with (layout.STATE / "activation.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("start-suite", "an activation is going on")
            return
        described = layout.read_release(release)
        started = compose(described, "up", "-d", "--no-recreate", "--no-build", "--pull", "never", timeout=600)
        if started.status != 0:
            raise Failure("START_FAILED", "start-suite", started.said, "look at `docker ps -a` on the server.")


def install(client: str) -> None:
    """Units that call `start` whenever the engine has started: containers of a killed engine stay down by themselves."""
    unit = (
        "[Unit]\nDescription=GeoClic suite\nAfter=docker.service network-online.target\n"
        "StartLimitIntervalSec=0\n\n[Service]\nType=oneshot\nTimeoutStartSec=900\n"
        f"ExecStart={layout.SCRIPTS}/start-suite --client {client}\nRestart=on-failure\nRestartSec=10\n"
    )
    drop_in = "[Service]\nExecStartPost=-/bin/systemctl start --no-block geoclic.service\n"
    is_changed = False
    for path, text in ((_UNIT, unit), (_DROP_IN, drop_in)):
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(exist_ok=True)
            layout.write(path, text)
            is_changed = True
    if is_changed:
        run(["systemctl", "daemon-reload"])
