"""Docker and Compose, as the rest of the tool set calls them."""

import json
from pathlib import Path
from typing import Any

from . import layout
from .failure import Failure
from .process import Result, run

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
CONFIG_HASH = "com.docker.compose.config-hash"


def compose(release: dict[str, Any], *words: str, timeout: float = 300) -> Result:
    """`docker compose` on a release's file; the environment comes by its file, never by words."""
    return run(
        ["docker", "compose", "--ansi", "never", "--progress", "quiet", "-p", release["project"],
         "--project-directory", str(layout.SHARED), "--env-file", str(layout.ENVIRONMENT),
         "-f", str(compose_file(release)), *words],
        timeout=timeout,
    )


def compose_file(release: dict[str, Any]) -> Path:
    return layout.release_folder(release["id"]) / "compose.yml"


def config_hashes(release: dict[str, Any]) -> dict[str, str]:
    """Hash of each service as Compose would make it now."""
    result = compose(release, "config", "--hash", "*")
    if result.status != 0:
        raise Failure("COMPOSE_INVALID", "services", result.said, "correct the suite or its adapter, then run again.")
    return dict(line.split() for line in result.stdout.splitlines() if line.strip())


def containers(project: str) -> list[dict[str, Any]]:
    """`docker inspect` of the project's containers, stopped ones too; none when the engine is not there."""
    ids = run(["docker", "ps", "-aq", "--no-trunc", "--filter", f"label={PROJECT}={project}"]).stdout.split()
    if not ids:
        return []
    found = run(["docker", "inspect", *ids])
    # A container that went away in between is no reason to forget the others.
    return json.loads(found.stdout or "[]")


def service_of(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"].get(SERVICE, ""))


def health_of(container: dict[str, Any]) -> str:
    """`healthy`, `unhealthy`, `starting`; the state itself where there is no check, e.g. `running`, `exited`."""
    state = container["State"]
    if state.get("Status") != "running":
        return str(state.get("Status"))
    return str(state.get("Health", {}).get("Status", "running"))


def container_of(project: str, service: str) -> str:
    """Id of a service's running container. Raises Failure."""
    for container in containers(project):
        if service_of(container) == service and container["State"]["Running"]:
            return str(container["Id"])
    raise Failure("CONTAINER_MISSING", "services", f"service {service} has no running container",
                  "look at `docker ps -a` on the server.")


def last_lines(container: str, count: int = 20) -> str:
    result = run(["docker", "logs", "--tail", str(count), container])
    return (result.stdout + result.stderr).strip()


def images() -> set[str]:
    """Names of all images, `repository:tag`."""
    return set(run(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]).stdout.split())
