"""Docker and Compose, as the rest of the tool set calls them, and containers as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import layout
from .failure import Failure, one_line
from .process import Result, run

_PROJECT = "com.docker.compose.project"
_FOLDER = "com.docker.compose.project.working_dir"
_ONE_OFF = "com.docker.compose.oneoff=False"
_FOLDERS = (str(layout.SHARED), str(layout.ROOT / "deploy"), "")
"""Ours, and the predecessor's, which an old Compose did not tell. A project is named after its folder: anybody may have one of this name."""

Release = Mapping[str, Any]
"""release.json of a delivered release."""


@dataclass(frozen=True)
class Container:
    """A service's container, as `docker inspect` tells it."""

    id: str
    service: str
    config_hash: str
    image: str
    """Name it was made from, `geoclic/api:9f8e…`."""
    status: str
    """`created`, `running`, `exited`, `restarting` …"""
    health: str
    """`healthy`, `unhealthy`, `starting`; empty where there is no check."""
    health_output: str
    restarts: int
    created: str
    started: str
    mounts: tuple[str, ...]
    """Paths of this server that it mounts."""
    folder: str = ""
    """Project folder that Compose made it from."""
    restart: str = ""
    """Docker's restart policy: `no`, `unless-stopped` …"""
    volumes: tuple[str, ...] = ()
    """Names of the volumes that it mounts."""
    pid: int = 0
    """0 while it does not run."""
    addresses: tuple[tuple[str, str], ...] = ()
    """Network and IPv4 address there."""
    targets: tuple[str, ...] = ()
    """Where `mounts` are inside, in the same order."""

    @property
    def is_running(self) -> bool:
        return self.status == "running"

    @property
    def condition(self) -> str:
        """The health of one that runs and has a check, else its status."""
        return self.health if self.is_running and self.health else self.status

    @property
    def is_fine(self) -> bool:
        return self.condition in ("healthy", "running")


def read_container(inspected: Mapping[str, Any]) -> Container:
    state, labels = inspected["State"], inspected["Config"]["Labels"] or {}
    health = state.get("Health") or {}
    log = health.get("Log") or [{}]
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    return Container(
        id=inspected["Id"],
        service=labels.get("com.docker.compose.service", ""),
        config_hash=labels.get("com.docker.compose.config-hash", ""),
        image=inspected["Config"]["Image"],
        status=state["Status"],
        health=health.get("Status", "").replace("none", ""),
        health_output=(log[-1].get("Output") or "").strip(),
        restarts=inspected.get("RestartCount", 0),
        created=inspected["Created"],
        started=state.get("StartedAt", ""),
        mounts=tuple(mount["Source"] for mount in inspected.get("Mounts", []) if mount.get("Source")),
        targets=tuple(mount.get("Destination", "") for mount in inspected.get("Mounts", []) if mount.get("Source")),
        folder=labels.get(_FOLDER, ""),
        restart=((inspected.get("HostConfig") or {}).get("RestartPolicy") or {}).get("Name", ""),
        volumes=tuple(mount["Name"] for mount in inspected.get("Mounts", []) if mount.get("Type") == "volume" and mount.get("Name")),
        pid=state.get("Pid", 0),
        addresses=tuple((name, joined["IPAddress"]) for name, joined in networks.items() if joined.get("IPAddress")),
    )


def containers(project: str) -> list[Container]:
    """Every container of the suite's services, stopped ones too, the oldest first."""
    return [container for container in everybodys(project) if container.folder in _FOLDERS]


def everybodys(project: str) -> list[Container]:
    """As `containers`, with those of another suite whose project has the same name: Compose counts them as its own."""
    listed = run(["docker", "ps", "-aq", "--no-trunc", "--filter", f"label={_PROJECT}={project}", "--filter", f"label={_ONE_OFF}"])
    if listed.status != 0:
        raise Failure("DOCKER_DOWN", "docker", one_line(listed.said, 300), "look at `systemctl status docker` on the server.")
    ids = listed.stdout.split()
    if not ids:
        return []
    # One that went away in between is no reason to forget the others.
    return sorted(map(read_container, _inspect(*ids)), key=lambda container: container.created)


def find_container(container_id: str) -> Container | None:
    """A container by id or name; None when it is gone. Raises Failure DOCKER_DOWN when nobody can tell."""
    found = _inspect(container_id)
    return read_container(found[0]) if found else None


def _inspect(*ids: str) -> list[dict[str, Any]]:
    asked = run(["docker", "inspect", "--type", "container", *ids])
    if asked.status != 0 and "no such" not in asked.stderr.lower():
        raise Failure("DOCKER_DOWN", "docker", one_line(asked.said, 300), "look at `systemctl status docker` on the server.")
    return list(json.loads(asked.stdout or "[]"))


def container_of(project: str, service: str) -> str:
    """Id of a service's running container, the newest one. Raises Failure CONTAINER_MISSING."""
    running = [one for one in containers(project) if one.service == service and one.is_running]
    if not running:
        raise Failure("CONTAINER_MISSING", "docker", f"service {service} has no running container", "look at `docker ps -a` on the server.")
    return running[-1].id


def compose(release: Mapping[str, Any], *words: str, timeout: float = 300, environment: Path | None = None) -> Result:
    """`docker compose` on a release's file; the environment comes by its file (absent: the next one's), never by words."""
    return run(
        ["docker", "compose", "--ansi", "never", "--progress", "quiet", "-p", release["project"],
         "--project-directory", str(layout.SHARED), "--env-file", str(environment or layout.ENVIRONMENT),
         "-f", str(compose_file(release)), *words],
        timeout=timeout,
    )


def compose_file(release: Mapping[str, Any]) -> Path:
    return layout.release_folder(release["id"]) / "compose.yml"


def configuration(release: Mapping[str, Any], environment: Path | None = None) -> dict[str, Any]:
    """The release's compose file, variables filled in. It holds secrets: never show it."""
    result = compose(release, "config", "--format", "json", environment=environment)
    if result.status != 0:
        raise Failure("COMPOSE_INVALID", "services", one_line(result.stderr, 400), "correct the suite or its adapter, then run again.")
    return dict(json.loads(result.stdout))


def config_hashes(release: Mapping[str, Any], environment: Path | None = None) -> dict[str, str]:
    """Hash of each service as Compose would make it now, in the release's order."""
    result = compose(release, "config", "--hash", "*", environment=environment)
    if result.status != 0:
        raise Failure("COMPOSE_INVALID", "services", one_line(result.stderr, 400), "correct the suite or its adapter, then run again.")
    hashes = dict(line.split() for line in result.stdout.splitlines() if line.strip())
    return {service: hashes[service] for service in release["services"]}


def volumes_of(described: Mapping[str, Any], service: str) -> set[str]:
    """Names of the volumes that a service mounts; `described`: from `configuration`."""
    volumes = described.get("volumes") or {}
    mounted = [volume["source"] for volume in described["services"].get(service, {}).get("volumes", []) if volume["type"] == "volume" and volume.get("source")]
    return {str((volumes.get(source) or {}).get("name", source)) for source in mounted}


def plugin_version() -> str:
    """Of Compose, e.g. `2.26.1`; empty when it does not say."""
    asked = run(["docker", "compose", "version", "--short"])
    return asked.stdout.strip() if asked.status == 0 else ""


def last_lines(container: str, count: int = 20) -> str:
    result = run(["docker", "logs", "--tail", str(count), container])
    return (result.stdout + result.stderr).strip()


def images() -> set[str]:
    """Names of all images, `repository:tag`."""
    listed = run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"])
    if listed.status != 0:
        raise Failure("DOCKER_DOWN", "docker", one_line(listed.said, 300), "look at `systemctl status docker` on the server.")
    return set(listed.stdout.split())
