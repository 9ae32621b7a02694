"""What every server has before a release: packages, Docker, restic, security upgrades, folders, the firewall."""

import argparse
import bz2
import hashlib
import json
import shutil
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from . import command as frame
from . import firewall, layout, openpgp, systemd
from .failure import Failure, say
from .machine import memory_kib
from .process import Result, run
from .system import Plan, plan, read_os_release

# https://docs.docker.com/engine/install/debian: fingerprint of the key that signs Docker's repositories.
_DOCKER_KEY = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"
# https://github.com/restic/restic/releases/tag/v0.18.0, SHA256SUMS.
_RESTIC_URL = "https://github.com/restic/restic/releases/download/v0.18.0/restic_0.18.0_linux_amd64.bz2"
_RESTIC_SHA256 = "98f6dd8bf5b59058d04bfd8dab58e196cc2a680666ccee90275a3b722374438e"

_STAMP = Path("/var/lib/geoclic/base.json")
_APT = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3",
        "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-confdef"]
_NEEDED_GIB = 3
_NEEDED_MEMORY_MIB = 900
_DAEMON = {"live-restore": True, "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}


def command() -> None:
    frame.main("base", _options, lambda options: install(options.ssh_port, force=options.force))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ssh-port", type=int, default=22)
    parser.add_argument("--force", action="store_true", help="do everything again")


def install(ssh_port: int, *, force: bool = False) -> None:
    layout.make_folders()
    if force or not _is_done(ssh_port):
        os_release = Path("/etc/os-release").read_text()
        has_docker = _has_docker()
        wanted = plan(os_release, has_docker=has_docker,
                      is_docker_repository_reachable=not has_docker and _is_docker_reachable(os_release))
        _check_machine()
        say("base.system", f"{wanted.system}, Docker: {wanted.docker}, restic: {wanted.restic}")
        _install_packages(wanted)
        if wanted.restic == "binary":
            _install_restic()
        _configure_docker()
        _enable_timers()
        _rotate_logs()
        _keep_firewall()
        firewall.apply(ssh_port)
        _STAMP.parent.mkdir(parents=True, exist_ok=True)
        layout.write(_STAMP, json.dumps({"key": _key(ssh_port), "doneAt": int(time.time())}))
        say("base", "ready")
    else:
        say("base", "nothing to do")


def _key(ssh_port: int) -> str:
    folder = Path(__file__).parent
    content = b"".join((folder / name).read_bytes() for name in ("base.py", "system.py", "firewall.py", "openpgp.py"))
    return hashlib.sha256(content + str(ssh_port).encode()).hexdigest()


def _is_done(ssh_port: int) -> bool:
    """By the stamp, and by what somebody could have taken away since."""
    stamp = layout.read_json(_STAMP)
    if not isinstance(stamp, dict) or stamp.get("key") != _key(ssh_port):
        return False
    units = ["docker.service", "certbot.timer", "geoclic-firewall.service"]
    tools = ["docker", "certbot", "rsync", "restic", "nft"]
    return (
        all(shutil.which(tool) for tool in tools)
        and systemd.all_active(units[:1])
        and systemd.all_enabled(units)
        and firewall.is_in_force(ssh_port)
    )


def _has_docker() -> bool:
    """An engine and a Compose v2 that are fit: the ones of a server that is adopted stay."""
    engine = run(["docker", "version", "--format", "{{.Server.Version}}"])
    compose = run(["docker", "compose", "version", "--short"])
    return engine.status == 0 and _major(engine.stdout) >= 25 and compose.status == 0 and _major(compose.stdout) >= 2


def _major(version: str) -> int:
    digits = version.strip().lstrip("v").split(".")[0]
    return int(digits) if digits.isdigit() else 0


def _is_docker_reachable(os_release: str) -> bool:
    try:
        with urllib.request.urlopen(_docker_repository(os_release) + "/gpg", timeout=8) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _docker_repository(os_release: str) -> str:
    return f"https://download.docker.com/linux/{read_os_release(os_release)[0]}"


def _check_machine() -> None:
    """Raises Failure DISK_FULL or MEMORY_SHORT."""
    total, _ = memory_kib()
    if total < _NEEDED_MEMORY_MIB << 10:
        raise Failure("MEMORY_SHORT", "base.space", f"the server has {total >> 10} MiB of memory, {_NEEDED_MEMORY_MIB} are needed", "take a larger server.")
    for path in ("/", "/opt", "/var/lib/docker"):
        # Docker's folder may be a disk of its own, or not be there yet.
        present = path if Path(path).exists() else "/var/lib"
        free = shutil.disk_usage(present).free / 2**30
        if free < _NEEDED_GIB:
            raise Failure("DISK_FULL", "base.space", f"{path} has {free:.1f} GiB free, {_NEEDED_GIB} are needed",
                          "free space or take a larger server, then run again.")


def _install_packages(wanted: Plan) -> None:
    # An earlier run may have been cut in the middle.
    run(["dpkg", "--configure", "-a"], timeout=600, environment=_quiet())
    if wanted.docker == "official":
        _need(_apt("update"), "apt-get update")
        _need(_apt("install", "--yes", "--no-install-recommends", "ca-certificates"), "apt-get install ca-certificates")
        _add_docker_repository(wanted)
    began = time.monotonic()
    _need(_apt("update"), "apt-get update")
    _need(_apt("install", "--yes", "--no-install-recommends", *wanted.packages), "apt-get install")
    say("base.packages", f"{len(wanted.packages)} packages in {time.monotonic() - began:.1f} s")


def _apt(*words: str) -> Result:
    for attempt in range(3):
        result = run([*_APT, *words], timeout=1200, environment=_quiet())
        if result.status == 0:
            break
        time.sleep(5 * attempt)
        run(["dpkg", "--configure", "-a"], timeout=600, environment=_quiet())
    return result


def _quiet() -> dict[str, str]:
    return {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a", "LC_ALL": "C.UTF-8"}


def _need(result: Result, what: str) -> None:
    if result.status != 0:
        errors = [line for line in result.stderr.splitlines() if line.startswith(("E:", "dpkg: error"))]
        raise Failure("PACKAGES_FAILED", "base.packages", f"{what} failed: {' '.join(errors[:3]) or result.said[-400:]}",
                      "look at apt and the network of the server, then run again.")


def _add_docker_repository(wanted: Plan) -> None:
    system = wanted.system.split(" ")[0]
    url = f"https://download.docker.com/linux/{system}"
    with urllib.request.urlopen(f"{url}/gpg", timeout=30) as answer:
        key = answer.read()
    if openpgp.fingerprints(key) != [_DOCKER_KEY]:
        raise Failure("DOCKER_KEY_UNKNOWN", "base.docker", f"the key at {url}/gpg is not {_DOCKER_KEY}",
                      "do not go on: somebody may stand between, or Docker changed its key.")
    keyring = Path("/etc/apt/keyrings/docker.asc")
    keyring.parent.mkdir(mode=0o755, exist_ok=True)
    layout.write(keyring, key)
    layout.write(Path("/etc/apt/sources.list.d/docker.sources"),
                 f"Types: deb\nURIs: {url}\nSuites: {wanted.codename}\nComponents: stable\nSigned-By: {keyring}\n")


def _install_restic() -> None:
    known = run(["restic", "version"])
    if known.status == 0 and known.stdout.startswith("restic 0.18."):
        return
    try:
        with urllib.request.urlopen(_RESTIC_URL, timeout=120) as answer:
            packed = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise Failure("RESTIC_UNREACHABLE", "base.restic", f"{_RESTIC_URL}: {error}",
                      "open HTTPS to github.com, or use Debian 13, whose restic is new enough.") from error
    found = hashlib.sha256(packed).hexdigest()
    if found != _RESTIC_SHA256:
        raise Failure("RESTIC_CHANGED", "base.restic", f"its sha256 is {found}, expected {_RESTIC_SHA256}",
                      "do not go on: the file is not the one that was released.")
    layout.write(Path("/usr/local/bin/restic"), bz2.decompress(packed), 0o755)


def merged(present: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The daemon's configuration with ours; other keys stay."""
    base: dict[str, Any] = present if isinstance(present, dict) else {}
    return {**base, **wanted}


def _configure_docker() -> None:
    path = Path("/etc/docker/daemon.json")
    present = layout.read_json(path)
    if path.exists() and present is None:
        raise Failure("DOCKER_CONFIG_BROKEN", "base.docker", f"{path} is not JSON", "correct or remove it, then run again.")
    wanted = merged(present, _DAEMON)
    is_changed = wanted != present
    if is_changed:
        path.parent.mkdir(exist_ok=True)
        layout.write(path, json.dumps(wanted, indent=2) + "\n")
    _need_unit(["systemctl", "enable", "--now", "docker.service"])
    if is_changed:
        # live-restore is taken over by a reload; the rest, defaults for new containers, when the engine starts next.
        run(["systemctl", "reload", "docker.service"])
        # Where containers run already, a restart could stop them: units of others may hang on Docker's.
        if not run(["docker", "ps", "--quiet"]).stdout.strip():
            _need_unit(["systemctl", "restart", "docker.service"])
    if not _has_docker():
        raise Failure("DOCKER_UNFIT", "base.docker", "Docker Engine 25 or Compose 2 is missing after the installation",
                      "look at `docker version` and `docker compose version` on the server.")


def _enable_timers() -> None:
    """Security upgrades and certificate renewals come by the distribution's own timers."""
    layout.write(Path("/etc/apt/apt.conf.d/52geoclic-upgrades"),
                 '// Security upgrades by themselves; a reboot is for people to choose.\n'
                 'APT::Periodic::Update-Package-Lists "1";\nAPT::Periodic::Unattended-Upgrade "1";\n'
                 'Unattended-Upgrade::Automatic-Reboot "false";\n')
    _need_unit(["systemctl", "enable", "--quiet", "--now", "certbot.timer", "apt-daily.timer", "apt-daily-upgrade.timer"])


def _keep_firewall() -> None:
    """The confirmed rules come back at boot, before the network."""
    unit = "geoclic-firewall.service"
    layout.write(Path("/etc/systemd/system") / unit, (Path(__file__).parent.parent / "units" / unit).read_text())
    _need_unit(["systemctl", "daemon-reload"])
    _need_unit(["systemctl", "enable", "--quiet", "--now", unit])


def _rotate_logs() -> None:
    """What services write into their log folders themselves; Docker limits the rest."""
    layout.write(Path("/etc/logrotate.d/geoclic"),
                 f"{layout.LOGS}/*/*.log {{\n  weekly\n  maxsize 10M\n  rotate 4\n  compress\n  missingok\n  notifempty\n  copytruncate\n}}\n")


def _need_unit(words: list[str]) -> None:
    result = run(words, timeout=180)
    if result.status != 0:
        raise Failure("UNIT_FAILED", "base.systemd", f"{' '.join(words)}: {result.said}",
                      "look at `systemctl status` and `journalctl -xe` on the server.")
