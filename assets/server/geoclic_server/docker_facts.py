"""Which Docker is on a server, asked without changing anything: packages by dpkg, the engine by its unit, plugins by their files.

An engine that does not answer at this second is no missing engine.
"""

import json
import os
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failure import Failure
from .process import run

# Of Docker's repository and of the distributions; they own the same files.
PACKAGES = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-buildx-plugin", "docker-compose-plugin",
            "docker.io", "docker-cli", "docker-compose", "docker-compose-v2", "docker-buildx", "docker-doc", "podman-docker", "containerd", "runc")
_START_SECONDS = 60


@dataclass(frozen=True)
class DockerFacts:
    packages: Mapping[str, str]
    """Versions by package, of those that are installed."""
    engine: str = ""
    """Version that the running engine tells."""
    compose: str = ""
    """Version of the plugin that `docker compose` runs."""
    compose_path: str = ""
    snap: bool = False
    swarm: bool = False
    has_unit: bool = False
    error: str = ""
    """Why the engine does not answer, where there is a unit of it."""


def read() -> DockerFacts:
    """Starts an engine that is installed and stopped, and waits for it."""
    packages = installed()
    has_unit = run(["systemctl", "cat", "docker.service"]).status == 0
    error = _await_engine() if has_unit else ""
    told = run(["docker", "version", "--format", "{{.Server.Version}}"])
    info = run(["docker", "info", "--format", "{{json .}}"])
    values = _object(info.stdout) if info.status == 0 else {}
    plugin = next((each for each in (values.get("ClientInfo") or {}).get("Plugins") or [] if each.get("Name") == "compose"), {})
    compose = run(["docker", "compose", "version", "--short"])
    return DockerFacts(
        packages=packages,
        engine=told.stdout.strip() if told.status == 0 else "",
        compose=compose.stdout.strip() if compose.status == 0 else "",
        compose_path=str(plugin.get("Path", "")),
        snap=os.path.exists("/snap/bin/docker"),
        swarm=(values.get("Swarm") or {}).get("LocalNodeState") in ("active", "pending", "locked"),
        has_unit=has_unit,
        error="" if told.status == 0 else error or told.said,
    )


def installed() -> dict[str, str]:
    """Versions of Docker's packages, whoever made them. Raises Failure PACKAGES_FAILED when dpkg does not tell."""
    listed = run(["dpkg-query", "-W", "-f", "${Package}\t${db:Status-Status}\t${Version}\n"])
    if listed.status != 0:
        raise Failure("PACKAGES_FAILED", "base.packages", f"dpkg-query: {listed.said}", "look at dpkg on the server, then run again.")
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    return {name: version for name, status, version in rows if status == "installed" and name in PACKAGES}


def flags() -> list[str]:
    """Words that the unit starts dockerd with, its program first. Empty when systemd does not tell."""
    shown = run(["systemctl", "show", "docker.service", "--property=ExecStart", "--value"]).stdout
    words = read_exec_start(shown)
    options = {"$DOCKER_OPTS": _default_options(), "${DOCKER_OPTS}": _default_options()}
    return [part for word in words for part in options.get(word, [] if word.startswith("$") else [word])]


def read_exec_start(shown: str) -> list[str]:
    """The argv of what `systemctl show --property=ExecStart` prints; the last one, where a drop-in gives another."""
    argv = [part.split("argv[]=", 1)[1].split(" ; ", 1)[0] for part in shown.splitlines() if "argv[]=" in part]
    return shlex.split(argv[-1]) if argv else []


def _default_options() -> list[str]:
    """DOCKER_OPTS of Debian's and Ubuntu's own package."""
    try:
        lines = Path("/etc/default/docker").read_text().splitlines()
    except OSError:
        return []
    given = [line.split("=", 1)[1] for line in lines if line.strip().startswith("DOCKER_OPTS=")]
    return shlex.split(" ".join(shlex.split(given[-1]))) if given else []


def _await_engine() -> str:
    """Empty once it answers; else what it says."""
    if run(["docker", "version", "--format", "{{.Server.Version}}"]).status == 0:
        return ""
    started = run(["systemctl", "start", "docker.service"], timeout=_START_SECONDS + 60)
    if started.status != 0:
        log = run(["journalctl", "--unit", "docker.service", "--lines", "5", "--output", "cat", "--no-pager"]).stdout
        return " ".join((started.said + " " + log).split())[-400:]
    end = time.monotonic() + _START_SECONDS
    while True:
        answer = run(["docker", "version", "--format", "{{.Server.Version}}"])
        if answer.status == 0 or time.monotonic() > end:
            return "" if answer.status == 0 else answer.said
        time.sleep(1)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
