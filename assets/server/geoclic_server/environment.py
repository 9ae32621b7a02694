"""The suite's environment file: written whole, readable by root alone, its secrets never changed silently."""

import argparse
import json
import stat
import sys
from pathlib import Path

from . import command as frame
from . import environment_file, layout, predecessor
from .failure import Failure, say


def command() -> None:
    frame.main("write-env", _options, lambda options: write_environment(sys.stdin.read()))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "standard input: one line of JSON {\"secrets\": [NAMES]}, then the file"


def write_environment(text: str) -> None:
    """Raises Failure INPUT_INVALID or SECRET_CHANGED; nothing is written then."""
    header, _, content = text.partition("\n")
    try:
        secrets = json.loads(header)["secrets"]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure("INPUT_INVALID", "environment", "the first line is not JSON that names the secrets",
                      "run `pulumi up` again with one version of the tool.") from error
    layout.make_folders()
    present = read(layout.ENVIRONMENT.read_text()) if layout.ENVIRONMENT.exists() else {}
    if not present and predecessor.is_here():
        _check_adopted(read(content), secrets)
    changed = changed_secrets(present, read(content), secrets)
    if changed:
        raise Failure("SECRET_CHANGED", "environment", f"{', '.join(changed)} would get another value than this server has",
                      "the database keeps the password that it was made with: restore the stack's state, or adopt the server's values.")
    if layout.ENVIRONMENT.exists() and layout.ENVIRONMENT.read_text() == content and _is_roots_alone():
        say("environment", "nothing to do")
        return
    layout.write(layout.ENVIRONMENT, content, 0o600)
    say("environment", "written")


def _is_roots_alone() -> bool:
    status = layout.ENVIRONMENT.stat()
    return stat.S_IMODE(status.st_mode) == 0o600 and status.st_uid == 0


def _check_adopted(wanted: dict[str, str], secrets: list[str]) -> None:
    """The former installation's database and sessions live on: its secrets come along, or nothing begins."""
    if not predecessor.ENVIRONMENT.exists():
        return
    former = read_file(predecessor.ENVIRONMENT)
    changed = changed_secrets(former, wanted, secrets)
    if changed:
        raise Failure("SECRET_CHANGED", "environment", f"{', '.join(changed)} would get another value than {predecessor.ENVIRONMENT} has",
                      "bring the former installation's secrets into the stack with `geoclic-fleet import`, then run again.")
    # The file may have been changed since the containers were made: they are what serves.
    differing = predecessor.differing({name: wanted[name] for name in secrets if name in wanted})
    if differing:
        raise Failure("SECRET_CHANGED", "environment", f"{', '.join(differing)}: {predecessor.ENVIRONMENT} says another value than the container runs with",
                      "make the file say what the containers have (`docker inspect`), run `geoclic-fleet import`, then run again.")
    dropped = [name for name in former if name not in wanted]
    if dropped:
        say("environment", f"warning: {', '.join(dropped)} of {predecessor.ENVIRONMENT} are not set by this tool any more; the file is kept")


def read(content: str) -> dict[str, str]:
    """Values by variable, as Compose reads them. Raises Failure ENVIRONMENT_UNREADABLE."""
    return _read(content, str(layout.ENVIRONMENT))


def read_file(path: Path) -> dict[str, str]:
    """As `read`, the ends of its lines as they are."""
    return _read(path.read_bytes().decode(errors="replace"), str(path))


def _read(content: str, name: str) -> dict[str, str]:
    try:
        return environment_file.read(content)
    except environment_file.Unreadable as error:
        raise Failure("ENVIRONMENT_UNREADABLE", "environment", f"{name}, {error}", "write it as Compose reads it (`docker compose config` tells), then run again.") from None


def changed_secrets(present: dict[str, str], wanted: dict[str, str], secrets: list[str]) -> list[str]:
    return [name for name in secrets if name in present and present[name] != wanted.get(name)]
