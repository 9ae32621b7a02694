"""The engine's configuration: merged with what is there, judged with the unit's own flags before it is written, taken back when it is refused."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import docker_facts, layout
from .failure import Failure, say
from .process import run

_PATH = Path("/etc/docker/daemon.json")
_STEP = "base.docker"
# Flags of dockerd by the key that says the same; both together are refused at its next start.
_FLAGS = {"live-restore": "--live-restore", "log-driver": "--log-driver", "log-opts": "--log-opt"}


def configure(wanted: Mapping[str, Any]) -> None:
    """Raises Failure DOCKER_CONFIG_BROKEN, DOCKER_CONFIG_CONFLICT, DOCKER_DOWN or UNIT_FAILED; a configuration that the engine refuses does not stay."""
    present = layout.read_json(_PATH)
    if _PATH.exists() and not isinstance(present, dict):
        raise Failure("DOCKER_CONFIG_BROKEN", _STEP, f"{_PATH} is no object of JSON", "correct or remove it, then run again.")
    flags = docker_facts.flags()
    made = merged(present, wanted, flags)
    former = _PATH.read_bytes() if _PATH.exists() else None
    # One that is there already may have been written only, by a run that was cut.
    if made != present:
        _validate(made, flags)
        _PATH.parent.mkdir(exist_ok=True)
        layout.write(_PATH, json.dumps(made, indent=2) + "\n")
    try:
        _tell("enable", "--now", "docker.service")
        # live-restore is taken over by a reload; the rest, defaults for new containers, when the engine starts next.
        _tell("reload", "docker.service")
        # Where containers run already, a restart could stop them: units of others may hang on Docker's.
        if not _containers():
            _tell("restart", "docker.service")
    except Failure:
        if former is None:
            layout.remove(_PATH)
        elif made != present:
            layout.write(_PATH, former)
        run(["systemctl", "start", "docker.service"], timeout=180)
        raise


def merged(present: Any, wanted: Mapping[str, Any], flags: Sequence[str] = ()) -> dict[str, Any]:
    """The daemon's configuration with ours; other keys stay, and what the unit's flags say is left to them."""
    base: dict[str, Any] = present if isinstance(present, dict) else {}
    said = {flag.split("=", 1)[0] for flag in flags}
    # The driver's options fit no other driver.
    theirs = {key for key, flag in _FLAGS.items() if flag in said}
    if theirs & {"log-driver", "log-opts"}:
        theirs |= {"log-driver", "log-opts"}
    return {**base, **{key: value for key, value in wanted.items() if key not in theirs}}


def _validate(made: Mapping[str, Any], flags: Sequence[str]) -> None:
    program, *words = flags or ["dockerd"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(made, file)
        file.flush()
        judged = run([program, *words, "--validate", "--config-file", file.name])
    if judged.status == 127:
        say(_STEP, f"warning: {program} cannot be asked whether it takes its configuration")
    elif judged.status != 0:
        raise Failure("DOCKER_CONFIG_CONFLICT", _STEP, f"{' '.join([program, *words])} does not take {_PATH} with {', '.join(sorted(made))}: {judged.said[-300:]}",
                      "take the flag out of the unit's drop-in (`systemctl cat docker`) or the key out of the file, then run again; nothing was changed.")


def _containers() -> list[str]:
    """Ids of those that run. Raises Failure DOCKER_DOWN: an engine that does not answer has told nothing."""
    listed = run(["docker", "ps", "--quiet"])
    if listed.status != 0:
        raise Failure("DOCKER_DOWN", _STEP, f"docker ps: {listed.said}", "look at `systemctl status docker` on the server, then run again.")
    return listed.stdout.split()


def _tell(*words: str) -> None:
    result = run(["systemctl", *words], timeout=180)
    if result.status != 0:
        raise Failure("UNIT_FAILED", _STEP, f"systemctl {' '.join(words)}: {result.said}", "look at `systemctl status docker` and `journalctl -xe` on the server.")
