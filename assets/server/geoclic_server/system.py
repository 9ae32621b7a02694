"""Which system this is, and what it needs: a plan made of its os-release and of the Docker that is there. Pure."""

import re
from dataclasses import dataclass

from .docker_facts import DockerFacts
from .failure import Failure

# Name of the release in Docker's repository.
_SUPPORTED = {
    ("debian", "12"): "bookworm",
    ("debian", "13"): "trixie",
    ("ubuntu", "22.04"): "jammy",
    ("ubuntu", "24.04"): "noble",
}
# The ones whose own packages have Compose v2 and restic 0.18.
_SUFFICIENT = {("debian", "13")}

_COMMON = ("ca-certificates", "certbot", "curl", "logrotate", "nftables", "openssl", "rsync", "unattended-upgrades")
_DOCKER_OFFICIAL = ("containerd.io", "docker-buildx-plugin", "docker-ce", "docker-ce-cli", "docker-compose-plugin")
_DOCKER_DEBIAN = ("docker-buildx", "docker-cli", "docker-compose", "docker.io")


_STEP = "base.docker"
# The engine's first version whose images can be shipped by digest; Compose's first that reads all of our health checks.
ENGINE = (25, 0)
COMPOSE = (2, 24)


@dataclass(frozen=True)
class Plan:
    system: str
    codename: str
    packages: tuple[str, ...]
    docker: str
    """`official`: Docker's own repository is added; `distribution`: its packages; `present`: a fit engine is there already."""
    restic: str
    """`package` or `binary`."""
    remove: tuple[str, ...] = ()
    """Packages that own the same files as those to be installed."""


def read_os_release(text: str) -> tuple[str, str]:
    """ID and VERSION_ID."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return values.get("ID", "").strip('"'), values.get("VERSION_ID", "").strip('"')


def version(text: str) -> tuple[int, int]:
    """Major and minor of a version as Docker, Compose or dpkg writes it: `v2.26.1`, `5:27.1.1-1~debian.12~bookworm`."""
    match = re.match(r"(?:\d+:)?v?(\d+)(?:\.(\d+))?", text.strip())
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def is_fit(found: DockerFacts) -> bool:
    """The ones of a server that is adopted stay."""
    return version(found.engine) >= ENGINE and version(found.compose) >= COMPOSE


def plan(os_release: str, found: DockerFacts, *, is_docker_repository_reachable: bool) -> Plan:
    """Raises Failure OS_UNSUPPORTED, DOCKER_FOREIGN, DOCKER_SWARM, DOCKER_DOWN, COMPOSE_IN_FRONT or DOCKER_REPOSITORY_UNREACHABLE."""
    system = read_os_release(os_release)
    codename = _SUPPORTED.get(system)
    if codename is None:
        allowed = ", ".join(f"{name} {number}" for name, number in _SUPPORTED)
        raise Failure("OS_UNSUPPORTED", "base.system", f"this is {' '.join(system).strip() or 'an unknown system'}",
                      f"use one of: {allowed}.")
    _refuse(found)
    restic = "package" if system in _SUFFICIENT else "binary"
    packages = (*_COMMON, "restic") if restic == "package" else _COMMON
    remove: tuple[str, ...] = ()
    is_own_engine_fit = version(found.packages.get("docker.io", "")) >= ENGINE
    if is_fit(found):
        docker = "present"
    elif system in _SUFFICIENT and (is_own_engine_fit or not is_docker_repository_reachable):
        docker, packages, remove = "distribution", (*packages, *_DOCKER_DEBIAN), _others(found, _DOCKER_DEBIAN)
    elif is_docker_repository_reachable:
        docker, packages, remove = "official", (*packages, *_DOCKER_OFFICIAL), _others(found, _DOCKER_OFFICIAL)
    else:
        raise Failure("DOCKER_REPOSITORY_UNREACHABLE", _STEP,
                      f"download.docker.com does not answer, and {' '.join(system)} has no Compose v2 of its own",
                      "open HTTPS to download.docker.com, or use Debian 13.")
    return Plan(" ".join(system), codename, tuple(sorted(packages)), docker, restic, remove)


def _refuse(found: DockerFacts) -> None:
    """What somebody has to decide before anything is changed."""
    if found.snap:
        raise Failure("DOCKER_FOREIGN", _STEP, "Docker is installed as a snap, which reads no folder outside of its own",
                      "move what runs in it elsewhere, `snap remove docker`, then run again.")
    if found.swarm:
        raise Failure("DOCKER_SWARM", _STEP, "this engine is in swarm mode, which does not start with live-restore",
                      "where `docker service ls` shows nothing that is needed: `docker swarm leave --force`, then run again.")
    packaged = found.packages.get("docker-ce") or found.packages.get("docker.io") or ""
    if found.has_unit and packaged and not found.engine and version(packaged) >= ENGINE:
        raise Failure("DOCKER_DOWN", _STEP, f"Docker {packaged} is installed and does not come up: {found.error or 'it says nothing'}",
                      "look at `systemctl status docker` on the server, then run again; nothing was changed.")
    if found.engine and not packaged and not is_fit(found) and "podman-docker" not in found.packages:
        raise Failure("DOCKER_FOREIGN", _STEP, f"Docker {found.engine} with Compose {found.compose or '(none)'} was installed without a package that is known here; "
                      f"{ENGINE[0]} and {COMPOSE[0]}.{COMPOSE[1]} are needed", "upgrade it the way it was installed, or remove it, then run again.")
    is_packaged_plugin = found.compose_path.startswith(("/usr/libexec/", "/usr/lib/"))
    if found.compose and version(found.compose) < COMPOSE and found.compose_path and not is_packaged_plugin:
        raise Failure("COMPOSE_IN_FRONT", _STEP, f"{found.compose_path} is Compose {found.compose}, {COMPOSE[0]}.{COMPOSE[1]} is needed, and it would stand in front of a newer one",
                      f"take it away (`mv {found.compose_path} /root/`), then run again.")


def _others(found: DockerFacts, wanted: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(name for name in found.packages if name not in wanted))
