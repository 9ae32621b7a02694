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

from . import command as frame
from . import docker_daemon, docker_facts, firewall, layout, openpgp, systemd
from .apt_sources import docker_sources, without_docker
from .failure import Failure, say
from .machine import memory_kib
from .process import Result, run
from .system import COMPOSE, ENGINE, Plan, is_fit, plan, read_os_release

# https://docs.docker.com/engine/install/debian: fingerprint of the key that signs Docker's repositories.
_DOCKER_KEY = "9DC858229FC7DD38854AE2D88D81803C0EBFCD88"
# https://github.com/restic/restic/releases/tag/v0.18.0, SHA256SUMS.
_RESTIC_URL = "https://github.com/restic/restic/releases/download/v0.18.0/restic_0.18.0_linux_amd64.bz2"
_RESTIC_SHA256 = "98f6dd8bf5b59058d04bfd8dab58e196cc2a680666ccee90275a3b722374438e"

_STAMP = Path("/var/lib/geoclic/base.json")
_APT_FOLDER = Path("/etc/apt")
_APT = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3",
        "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Options::=--force-confdef"]
_FIRST_MIB = 3072
"""A first installation, and a release with its images."""
_LATER_MIB = 512
_NEEDED_MEMORY_MIB = 900
_LOCK_SECONDS = 300
_FIRST_BOOT_SECONDS = 300
_DAEMON = {"live-restore": True, "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "3"}}


def command() -> None:
    frame.main("base", _options, lambda options: install(options.ssh_port, force=options.force))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ssh-port", type=int, default=22)
    parser.add_argument("--force", action="store_true", help="do everything again")


def install(ssh_port: int, *, force: bool = False) -> None:
    if force or not _is_done(ssh_port):
        is_first = not _STAMP.exists()
        if is_first:
            _await_first_boot()
        os_release = Path("/etc/os-release").read_text()
        found = docker_facts.read()
        wanted = plan(os_release, found, is_docker_repository_reachable=not is_fit(found) and _is_docker_reachable(os_release))
        _check_machine(_FIRST_MIB if is_first else _LATER_MIB)
        layout.make_folders()
        say("base.system", f"{wanted.system}, Docker: {wanted.docker}, restic: {wanted.restic}"
                           + (f"; in the place of {', '.join(wanted.remove)}" if wanted.remove else ""))
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
        layout.make_folders()
        say("base", "nothing to do")


def _key(ssh_port: int) -> str:
    folder = Path(__file__).parent
    content = b"".join((folder / name).read_bytes() for name in ("base.py", "system.py", "docker_facts.py", "docker_daemon.py", "apt_sources.py", "firewall.py", "openpgp.py"))
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


def _await_first_boot() -> None:
    """cloud-init installs packages and writes apt's sources in the first minutes of a server."""
    if shutil.which("cloud-init"):
        waited = run(["cloud-init", "status", "--wait"], timeout=_FIRST_BOOT_SECONDS)
        if waited.status == 124:
            say("base.system", f"warning: cloud-init has not ended within {_FIRST_BOOT_SECONDS} s")


def _is_docker_reachable(os_release: str) -> bool:
    try:
        with urllib.request.urlopen(_docker_repository(os_release) + "/gpg", timeout=8) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _docker_repository(os_release: str) -> str:
    return f"https://download.docker.com/linux/{read_os_release(os_release)[0]}"


def _check_machine(needed_mib: int) -> None:
    """Raises Failure DISK_FULL or MEMORY_SHORT."""
    total, _ = memory_kib()
    if total < _NEEDED_MEMORY_MIB << 10:
        raise Failure("MEMORY_SHORT", "base.space", f"the server has {total >> 10} MiB of memory, {_NEEDED_MEMORY_MIB} are needed", "take a larger server.")
    for path in ("/", "/opt", "/var/lib/docker"):
        # Docker's folder may be a disk of its own, or not be there yet.
        present = path if Path(path).exists() else "/var/lib"
        free = shutil.disk_usage(present).free >> 20
        if free < needed_mib:
            raise Failure("DISK_FULL", "base.space", f"{path} has {free} MiB free, {needed_mib} are needed",
                          "free space or take a larger server, then run again.")


def _install_packages(wanted: Plan) -> None:
    # An earlier run may have been cut in the middle.
    run(["dpkg", "--configure", "-a"], timeout=600, environment=_quiet())
    if wanted.docker == "official":
        _add_docker_repository(wanted)
    began = time.monotonic()
    _need(_apt("update"), "apt-get update")
    # In one call: packages that own the same files have no Conflicts that would make apt do it.
    _need(_apt("install", "--yes", "--no-install-recommends", *wanted.packages, *[f"{name}-" for name in wanted.remove]), "apt-get install")
    say("base.packages", f"{len(wanted.packages)} packages in {time.monotonic() - began:.1f} s")


def _apt(*words: str) -> Result:
    end = time.monotonic() + _LOCK_SECONDS
    attempt = 0
    while True:
        result = run([*_APT, *words], timeout=1200, environment=_quiet())
        # apt itself waits for dpkg's lock, not for the one of its lists.
        is_locked = result.status != 0 and "Could not get lock" in result.stderr
        attempt += 0 if is_locked else 1
        if result.status == 0 or attempt == 3 or (is_locked and time.monotonic() > end):
            return result
        time.sleep(5 * max(attempt, 1))
        run(["dpkg", "--configure", "-a"], timeout=600, environment=_quiet())


def _quiet() -> dict[str, str]:
    return {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a", "LC_ALL": "C.UTF-8"}


def _need(result: Result, what: str) -> None:
    if result.status != 0:
        errors = [line for line in result.stderr.splitlines() if line.startswith(("E:", "dpkg: error"))]
        raise Failure("PACKAGES_FAILED", "base.packages", f"{what} failed: {' '.join(errors[:3]) or result.said[-400:]}",
                      "look at apt and the network of the server, then run again.")


def _add_docker_repository(wanted: Plan) -> None:
    """Docker's own, once: one that is there is used when its key is Docker's, else ours stands in its place. What apt refuses is taken back."""
    system = wanted.system.split(" ")[0]
    files = {str(path): path.read_text(errors="replace") for path in [_APT_FOLDER / "sources.list", *sorted((_APT_FOLDER / "sources.list.d").glob("*"))]
             if path.suffix in (".list", ".sources") and path.is_file()}
    present = docker_sources(files)
    is_trusted = bool(present) and all(_fingerprints(source.key) == [_DOCKER_KEY] for source in present)
    if is_trusted and len({source.key for source in present}) == 1 and any(source.suite == wanted.codename for source in present):
        say("base.docker", f"the repository of {present[0].file} is used")
        return
    key = _read_key(f"https://download.docker.com/linux/{system}/gpg")
    changed = {Path(path): text for path, text in files.items() if path in {source.file for source in present}}
    keyring, entry = _APT_FOLDER / "keyrings/geoclic-docker.gpg", _APT_FOLDER / "sources.list.d/geoclic-docker.sources"
    try:
        for path, text in changed.items():
            _keep_former(path, text)
            rest = without_docker(str(path), text)
            layout.write(path, rest) if rest else layout.remove(path)
        keyring.parent.mkdir(mode=0o755, exist_ok=True)
        layout.write(keyring, key)
        layout.write(entry, f"Types: deb\nURIs: https://download.docker.com/linux/{system}\nSuites: {wanted.codename}\n"
                            f"Components: stable\nSigned-By: {keyring}\n")
        _need(_apt("update"), "apt-get update with Docker's repository")
    except BaseException:
        for path in (entry, keyring):
            layout.remove(path)
        for path, text in changed.items():
            layout.write(path, text)
        raise


def _keep_former(path: Path, text: str) -> None:
    folder = _STAMP.parent / "former"
    folder.mkdir(parents=True, exist_ok=True)
    layout.write(folder / path.name, text)
    say("base.docker", f"{path}: its entry for Docker's repository is replaced, the file as it was is {folder / path.name}")


def _fingerprints(key: str) -> list[str]:
    """Of what `Signed-By` names: a file, a fingerprint, or the key itself. Empty for none, which trusts every key that apt knows."""
    if key.startswith("/"):
        try:
            return openpgp.fingerprints(Path(key).read_bytes())
        except OSError:
            return []
    return openpgp.fingerprints(key.encode()) if "BEGIN PGP" in key else [key.replace(" ", "").rstrip("!").upper()]


def _read_key(url: str) -> bytes:
    """The packets of Docker's key, and nothing else that came with them. Raises Failure DOCKER_KEY_UNKNOWN."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        key = answer.read()
    if openpgp.fingerprints(key) != [_DOCKER_KEY]:
        raise Failure("DOCKER_KEY_UNKNOWN", "base.docker", f"the key at {url} is not {_DOCKER_KEY}",
                      "do not go on: somebody may stand between, or Docker changed its key.")
    return openpgp.packets(key)


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


def _configure_docker() -> None:
    docker_daemon.configure(_DAEMON)
    found = docker_facts.read()
    if not is_fit(found):
        raise Failure("DOCKER_UNFIT", "base.docker", f"after the installation Docker is {found.engine or '(none)'} and Compose {found.compose or '(none)'} "
                      f"({found.compose_path or 'no plugin'}); {ENGINE[0]} and {COMPOSE[0]}.{COMPOSE[1]} are needed",
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
