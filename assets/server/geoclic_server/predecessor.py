"""What the tool before this one (a bash script) leaves on a server that it installed, and how it is put away.

Its containers, code and `.env` stay until the adopted release is proven; then code and `.env` go to `predecessor/`,
root's alone, and are kept. Nothing that somebody else put on the server is touched.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import layout
from .compose import Container, containers
from .failure import Failure, say
from .process import run

FOLDER = layout.ROOT / "deploy"
"""Its compose project's folder."""
ENVIRONMENT = FOLDER / ".env"
WEBROOT = FOLDER / "www/certbot"
"""What its nginx shows of ACME's challenges; it never used it itself."""
CONFIGURATION = FOLDER / "nginx"
KEPT = layout.ROOT / "predecessor"
MARKER = layout.STATE / "adoption.json"
"""Present from the first container that is replaced until everything is put away: {release, startedAt}."""

_COMPOSE = FOLDER / "docker-compose.yml"
_DUMPS = layout.ROOT / "backups"
_UNIT = Path("/etc/systemd/system/geoclic.service")
_STEP = "adoption"
_OURS = {"releases", "current", "server", "server.new", "server.d", "shared", "predecessor", "backups"}
_OURS_SHARED = {path.name for path in (layout.ENVIRONMENT, layout.TLS, layout.ACME, layout.LOGS, layout.BACKUPS, layout.BINDS,
                                       layout.STATIC, layout.PUBLIC, layout.STATE)}

_TIMES = r"(?:[\d*/,-]+[ \t]+){5}"
_OUTPUT = r"(?:[ \t]*[\d&]?>>?[ \t]*(?:&\d|[\w./-]+))*[ \t]*"
_SCRIPT = re.compile(rf"{_TIMES}(?:(?:/usr)?/bin/)?(?:(?:ba)?sh[ \t]+)?/opt/geoclic/scripts/(?:backup_db|monitor)\.sh{_OUTPUT}")
_RENEWAL = re.compile(rf"{_TIMES}(?:(?:/usr|/snap)?/bin/)?certbot[ \t]+renew(?:[ \t]+--?[\w-]+)*?[ \t]+--deploy-hook[ \t]+"
                      rf"(?P<quote>[\"'])(?P<hook>.*)(?P=quote)(?:[ \t]+--?[\w-]+)*{_OUTPUT}")
_HOOK_PARTS = (
    re.compile(r"cp( -[a-zA-Z]+)? /etc/letsencrypt/live/[\w.-]+/\S+( /etc/letsencrypt/live/[\w.-]+/\S+)? /opt/geoclic/deploy/nginx/ssl(/\S*)?"),
    re.compile(r"cd /opt/geoclic(/deploy)?"),
    re.compile(r"docker (restart|exec geoclic_nginx nginx -s reload|kill -s HUP)( geoclic_nginx)?"),
    re.compile(r"docker[ -]compose( -f \S+)? (restart|exec -T) nginx( nginx -s reload)?"),
)


def is_here() -> bool:
    """Its installation is in its place, and no release of ours runs yet."""
    return _COMPOSE.exists() and layout.running_release() is None


def is_left() -> bool:
    """Something of it is still to be put away."""
    return _COMPOSE.exists() or MARKER.exists()


def begin(release: str) -> None:
    """Before the first of its containers is replaced; again after an interruption."""
    if not MARKER.exists():
        layout.write(MARKER, json.dumps({"release": release, "startedAt": int(time.time())}) + "\n", 0o600)


def opened() -> str | None:
    """Release that an adoption brings, while it goes on or is interrupted."""
    marker = layout.read_json(MARKER)
    return marker.get("release") if isinstance(marker, dict) else None


def differing(secrets: Mapping[str, str]) -> list[str]:
    """Secrets that a container of it runs with otherwise than its files say now: `JWT_SECRET_KEY (JWT_SECRET_KEY of api)`."""
    read = run(["docker", "compose", "-p", FOLDER.name, "--project-directory", str(FOLDER), "--env-file", str(ENVIRONMENT), "-f", str(_COMPOSE),
                "config", "--format", "json"], timeout=60)
    if read.status != 0:
        say(_STEP, f"warning: Compose does not read {_COMPOSE}, so the containers' secrets are not compared with {ENVIRONMENT}")
        return []
    described = {name: {key: str(value).replace("$$", "$") for key, value in (service.get("environment") or {}).items() if value is not None}
                 for name, service in json.loads(read.stdout)["services"].items()}
    found = []
    for container in containers(FOLDER.name):
        if is_its(container) and container.is_running:
            shown = run(["docker", "inspect", "--type", "container", "--format", "{{json .Config.Env}}", container.id])
            if shown.status == 0:
                running = dict(line.split("=", 1) for line in json.loads(shown.stdout) or [] if "=" in line)
                found += [f"{secret} ({key} of {container.service})" for secret, key in differences(described.get(container.service, {}), running, secrets)]
    return sorted(found)


def differences(described: Mapping[str, str], running: Mapping[str, str], secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    """Secret and variable of a container, where the value that is made of the secret is not the one it runs with."""
    return [
        (secret, key)
        for key, value in described.items()
        # What a database's image was given counts at its first start only; what its password is now, the database tells itself.
        if key in running and running[key] != value and not key.startswith("POSTGRES_")
        for secret, wanted in secrets.items()
        if wanted and wanted in value
    ]


def is_its(container: Container) -> bool:
    """Made by it, or by hand, in any case not by us."""
    return container.folder != str(layout.SHARED)


def without_cron_lines(crontab: str) -> str:
    """Root's crontab without its three lines, each by its exact shape; the others byte for byte."""
    return "".join(line for line in crontab.splitlines(keepends=True) if not _is_cron_line(line.rstrip("\r\n")))


def _is_cron_line(line: str) -> bool:
    if _SCRIPT.fullmatch(line):
        return True
    renewal = _RENEWAL.fullmatch(line)
    if not renewal:
        return False
    parts = [part.strip() for part in re.split(r"&&|;", renewal["hook"])]
    # A hook that does somebody else's work too is somebody else's.
    return "/opt/geoclic/deploy/nginx/ssl" in renewal["hook"] and all(any(known.fullmatch(part) for known in _HOOK_PARTS) for part in parts if part)


def is_its_unit(text: str) -> bool:
    """A unit that runs Compose in its folder; ours calls our scripts."""
    return str(FOLDER) in text and re.search(r"^ExecStart=.*\bcompose\b", text, re.MULTILINE) is not None


def keep_unit() -> None:
    """Before ours takes its place: its own would stop everything at a shutdown and make its own containers at a boot."""
    if _UNIT.exists() and is_its_unit(text := _UNIT.read_text()):
        keep("geoclic.service", text)


def give_back() -> None:
    """The end of an adoption that was taken back: its unit as it was."""
    kept = KEPT / "geoclic.service"
    if kept.exists():
        run(["systemctl", "disable", "--quiet", _UNIT.name])
        layout.write(_UNIT, kept.read_text())
        for words in (["daemon-reload"], ["enable", "--quiet", _UNIT.name]):
            run(["systemctl", *words])
    MARKER.unlink(missing_ok=True)


def make_folder() -> None:
    KEPT.mkdir(mode=0o700, exist_ok=True)
    KEPT.chmod(0o700)


def keep(name: str, text: str) -> None:
    """A text of it beside its code; the first one that is kept stays."""
    make_folder()
    if not (KEPT / name).exists():
        layout.write(KEPT / name, text, 0o600)


def put_away(project: str, services: Sequence[str]) -> None:
    """Once our release is proven; each line may be the last that was done. Raises Failure when it still runs."""
    running = [container.service for container in containers(project) if is_its(container) and container.is_running]
    if running or layout.running_release() is None:
        raise Failure("PREDECESSOR_RUNS", _STEP, f"containers that this tool did not make run in project {project}: {', '.join(running) or 'all'}",
                      "run `pulumi up` again: it replaces them.")
    make_folder()
    _forget_cron_lines()
    images = [f"{project}-{service}" for service in services]
    # Docker itself refuses to remove one that a container needs.
    removed = [image for image in images if run(["docker", "image", "rm", image]).status == 0]
    if _DUMPS.is_dir():
        _DUMPS.chmod(0o700)
    # It was readable by everybody; copies of it must not be either.
    if ENVIRONMENT.exists():
        ENVIRONMENT.chmod(0o600)
    moved = [*_move(layout.ROOT, KEPT, _OURS), *_move(layout.SHARED, KEPT / "shared", _OURS_SHARED)]
    MARKER.unlink(missing_ok=True)
    say(_STEP, f"the former installation is in {KEPT}: {len(moved)} entries; {len(removed)} of its images removed")


def _forget_cron_lines() -> None:
    listed = run(["crontab", "-u", "root", "-l"])
    if listed.status != 0:
        return
    wanted = without_cron_lines(listed.stdout)
    if wanted == listed.stdout:
        return
    keep("crontab", listed.stdout)
    written = run(["crontab", "-u", "root", "-"], stdin=wanted)
    if written.status != 0:
        raise Failure("CRONTAB_FAILED", _STEP, written.said, "look at root's crontab on the server, then run again.")
    say(_STEP, f"{len(listed.stdout.splitlines()) - len(wanted.splitlines())} lines of root's crontab removed, its others kept")


def _move(source: Path, target: Path, kept: set[str]) -> list[str]:
    names = [name for name in sorted(os.listdir(source)) if name not in kept and not name.startswith((".current", ".server", ".env."))]
    if names:
        target.mkdir(mode=0o700, exist_ok=True)
    for name in names:
        place = target / name
        if place.exists() or place.is_symlink():
            place = layout.free_place(target, name)
        # A rename; a copy where somebody made it a disk of its own.
        shutil.move(source / name, place)
    return names
