"""Which system this is, and what it needs: a plan made of its os-release and of whether Docker's repository answers."""

from dataclasses import dataclass

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


@dataclass(frozen=True)
class Plan:
    system: str
    codename: str
    packages: tuple[str, ...]
    docker: str
    """`official`: Docker's own repository is added; `distribution`: its packages; `present`: an engine is there already."""
    restic: str
    """`package` or `binary`."""


def read_os_release(text: str) -> tuple[str, str]:
    """ID and VERSION_ID."""
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return values.get("ID", "").strip('"'), values.get("VERSION_ID", "").strip('"')


def plan(os_release: str, *, is_docker_repository_reachable: bool, has_docker: bool) -> Plan:
    """Raises Failure OS_UNSUPPORTED or DOCKER_REPOSITORY_UNREACHABLE."""
    system = read_os_release(os_release)
    codename = _SUPPORTED.get(system)
    if codename is None:
        allowed = ", ".join(f"{name} {version}" for name, version in _SUPPORTED)
        raise Failure("OS_UNSUPPORTED", "base.system", f"this is {' '.join(system).strip() or 'an unknown system'}",
                      f"use one of: {allowed}.")
    restic = "package" if system in _SUFFICIENT else "binary"
    packages = (*_COMMON, "restic") if restic == "package" else _COMMON
    if has_docker:
        docker = "present"
    elif is_docker_repository_reachable:
        docker, packages = "official", (*packages, *_DOCKER_OFFICIAL)
    elif system in _SUFFICIENT:
        docker, packages = "distribution", (*packages, *_DOCKER_DEBIAN)
    else:
        raise Failure("DOCKER_REPOSITORY_UNREACHABLE", "base.docker",
                      f"download.docker.com does not answer, and {' '.join(system)} has no Compose v2 of its own",
                      "open HTTPS to download.docker.com, or use Debian 13.")
    return Plan(" ".join(system), codename, tuple(sorted(packages)), docker, restic)
