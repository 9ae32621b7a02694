"""Compares this server with what the operator says it should be, and changes nothing.

Standard input: JSON of what is expected (see core/facts/drift.ts), hashes included: what could have been changed here is
no measure of itself. Answer: {"format": 1, "findings": [{area, item, kind, detail}]}; never a secret's value.
"""

import argparse
import base64
import hashlib
import json
import os
import pwd
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import certificate, environment, firewall, layout, lineages, made, migrating, schedules, systemd, tls
from . import command as frame
from .compose import Container, config_hashes
from .database import Database
from .failure import Failure, one_line
from .migrations import Apart
from .process import run

Finding = dict[str, str]
Expected = Mapping[str, Any]

_SYSTEMD = Path("/etc/systemd/system")
_UNITS = Path(__file__).parent.parent / "units"
_PLACE_LIMIT = 50
_CERTIFICATE_DAYS = 14
_KEY = re.compile(r"(?:^|\s)((?:ssh|ecdsa|sk)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)(?:\s+(.*))?$")


def command() -> None:
    frame.main("drift", _options, lambda _options: print(json.dumps(drift(_read(sys.stdin.read())), ensure_ascii=False)))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the only form there is")


def _read(text: str) -> Expected:
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise Failure("INPUT_INVALID", "drift", "standard input is not JSON", "run it by `geoclic-fleet drift`.") from error


def drift(expected: Expected) -> dict[str, Any]:
    """Each look on its own: one that fails is a finding and hides no other."""
    looks: list[tuple[str, Callable[[Expected], Iterator[Finding]]]] = [
        ("release", _release), ("file", _places), ("environment", _environment), ("container", _containers), ("database", _database),
        ("unit", _units), ("firewall", _firewall), ("key", _keys), ("certificate", _certificate)]
    findings: list[Finding] = []
    for area, look in looks:
        try:
            findings += look(expected)
        except (Failure, OSError, ValueError, KeyError) as error:
            cause = error.cause if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
            findings.append(_finding(area, "?", "changed", one_line(cause, 300)))
    return {"format": 1, "findings": findings}


def _finding(area: str, item: str, kind: str, detail: str = "") -> Finding:
    return {"area": area, "item": item, "kind": kind, "detail": detail}


def _release(expected: Expected) -> Iterator[Finding]:
    running = layout.running_release()
    if running != expected["release"]:
        yield _finding("release", str(expected["release"]), "missing" if running is None else "changed", f"runs {running}")
    scripts = os.path.basename(os.path.realpath(layout.SCRIPTS))
    if scripts != expected["scripts"]:
        yield _finding("scripts", str(expected["scripts"]), "changed", scripts)


def _places(expected: Expected) -> Iterator[Finding]:
    for place in expected["places"]:
        found = list(compare_tree(Path(place["path"]), place["entries"], place["ignored"], place["modes"]))
        yield from found[:_PLACE_LIMIT]
        if len(found) > _PLACE_LIMIT:
            yield _finding("file", place["path"], "changed", f"{len(found) - _PLACE_LIMIT} more")


def compare_tree(root: Path, wanted: Mapping[str, str], ignored: Sequence[str], modes: bool) -> Iterator[Finding]:
    """`wanted`: by path, `DIGEST x` or `DIGEST -` of a file, `-> TARGET` of a link; a root that is a file has the path ``."""
    present = dict(_entries(root, "", set(ignored)))
    for path in sorted({*wanted, *present}):
        item = str(root / path) if path else str(root)
        want, found = wanted.get(path), present.get(path)
        if found is None:
            yield _finding("file", item, "missing")
        elif want is None:
            yield _finding("file", item, "extra")
        elif (want if modes else want.split()[0]) != (found if modes else found.split()[0]) or (want.startswith("->") and want != found):
            yield _finding("file", item, "changed")


def _entries(root: Path, path: str, ignored: set[str]) -> Iterator[tuple[str, str]]:
    full = root / path if path else root
    if full.is_symlink() and path:
        yield path, f"-> {os.readlink(full)}"
    elif full.is_dir():
        for child in sorted(os.listdir(full)):
            if path or child not in ignored:
                yield from _entries(root, f"{path}/{child}" if path else child, ignored)
    elif full.exists():
        mode = "x" if full.stat().st_mode & 0o111 else "-"
        yield path, f"{_digest(full)} {mode}"


def _digest(path: Path) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hashed.update(chunk)
    return hashed.hexdigest()


def _environment(expected: Expected) -> Iterator[Finding]:
    path = layout.ENVIRONMENT
    if not path.exists():
        yield _finding("environment", str(path), "missing")
        return
    found = path.stat()
    if found.st_mode & 0o777 != 0o600 or found.st_uid != 0:
        yield _finding("environment", str(path), "changed", f"mode {found.st_mode & 0o777:04o} of user {found.st_uid}, expected 0600 of 0")
    yield from compare_environment(environment.read(path.read_text()), environment.read(expected["plain"]), expected["secrets"])


def compare_environment(present: Mapping[str, str], plain: Mapping[str, str], secrets: Sequence[str]) -> Iterator[Finding]:
    """By name only: nothing of a value is told."""
    for name in sorted({*present, *plain, *secrets}):
        if name not in present:
            yield _finding("environment", name, "missing")
        elif name not in plain and name not in secrets:
            yield _finding("environment", name, "extra")
        elif name in plain and present[name] != plain[name]:
            yield _finding("environment", name, "changed")


def _containers(_expected: Expected) -> Iterator[Finding]:
    running = layout.running_release()
    if running is None:
        return
    release = layout.read_release(running)
    found = made.present(release)
    yield from compare_containers(list(release["services"]), config_hashes(release, layout.running_environment()), found)
    for service, described in release["services"].items():
        tag = described["image"]
        asked = run(["docker", "image", "inspect", "--format", "{{.Id}}", tag])
        if asked.status != 0:
            yield _finding("image", tag, "missing")
            continue
        for container in found:
            if container.service == service and _image_id(container.id) not in (asked.stdout.strip(), ""):
                yield _finding("image", tag, "changed", f"{service} runs another image of this name")


def _database(_expected: Expected) -> Iterator[Finding]:
    """Also a database that is not the one the release was activated with: restored from a backup that is older or newer."""
    running = layout.running_release()
    if running is not None:
        yield from schema_findings(migrating.apart(Database(layout.read_release(running)).attach(), layout.release_folder(running) / "suite"))


def schema_findings(found: Apart) -> Iterator[Finding]:
    for name in found.lacking:
        yield _finding("database", name, "missing", "a migration of the running release")
    for name in found.foreign:
        yield _finding("database", name, "extra", "a migration that the running release cannot run with")


def _image_id(container: str) -> str:
    return run(["docker", "inspect", "--type", "container", "--format", "{{.Image}}", container]).stdout.strip()


def compare_containers(services: Sequence[str], hashes: Mapping[str, str], found: Sequence[Container]) -> Iterator[Finding]:
    for service in services:
        own = [container for container in found if container.service == service]
        if not own:
            yield _finding("container", service, "missing")
        elif not any(container.is_running for container in own):
            yield _finding("container", service, "stopped", own[-1].condition)
        elif any(container.is_running and container.config_hash != hashes[service] for container in own):
            yield _finding("container", service, "changed")
    for container in found:
        if container.service not in services:
            yield _finding("container", container.service or container.id[:12], "extra")


def _units(expected: Expected) -> Iterator[Finding]:
    for template in sorted(_UNITS.iterdir()):
        unit = _SYSTEMD / template.name
        if not unit.exists():
            yield _finding("unit", template.name, "missing")
            continue
        if unit.read_text() != schedules.render(template.read_text(), expected["schedules"]):
            yield _finding("unit", template.name, "changed")
        if "[Install]" in template.read_text() and not systemd.all_enabled([template.name]):
            yield _finding("unit", template.name, "disabled")
        elif template.suffix == ".timer" and not systemd.all_active([template.name]):
            yield _finding("unit", template.name, "stopped")
    if not systemd.all_enabled(["certbot.timer"]):
        yield _finding("unit", "certbot.timer", "disabled")


def _firewall(expected: Expected) -> Iterator[Finding]:
    if not firewall.is_there():
        yield _finding("firewall", "inet geoclic", "missing")
        return
    if not firewall.is_in_force(expected["sshPort"]):
        yield _finding("firewall", "inet geoclic", "changed")


def _keys(expected: Expected) -> Iterator[Finding]:
    for user in dict.fromkeys([expected["sshUser"], "root"]):
        path = Path(pwd.getpwnam(user).pw_dir) / ".ssh/authorized_keys"
        if path.exists():
            yield from foreign_keys(user, path.read_text(errors="replace"), expected["keys"])


def foreign_keys(user: str, text: str, known: Sequence[str]) -> Iterator[Finding]:
    """Keys of a user that are not the fleet's, by fingerprint and comment."""
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _KEY.search(line.strip())
        if not match:
            yield _finding("key", user, "foreign", "a line that is no key")
        elif f"{match[1]} {match[2]}" not in known:
            yield _finding("key", user, "foreign", f"{_fingerprint(match[2])} {one_line(match[3] or '', 80)}".strip())


def _fingerprint(blob: str) -> str:
    try:
        data = base64.b64decode(blob)
    except ValueError:
        return "no key"
    return f"SHA256:{base64.b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')}"


def _certificate(expected: Expected) -> Iterator[Finding]:
    domain = expected["schedules"]["DOMAIN"]
    if certificate.status(domain, None)["serial"] is None:
        # What is served may be well for weeks; it is not renewed.
        yield _finding("certificate", str(lineages.live(domain)), "missing")
    placed, facts = tls.placed_facts(), tls.known_facts()
    if facts is None:
        yield _finding("certificate", str(tls.CHAIN), "missing")
        return
    if placed and placed["serial"] != facts["serial"]:
        yield _finding("certificate", str(tls.CHAIN), "changed", f"{facts['serial']} is served")
    if facts["daysLeft"] < _CERTIFICATE_DAYS:
        yield _finding("certificate", str(facts["serial"]), "expiring", str(facts["notAfter"]))
