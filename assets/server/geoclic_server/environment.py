"""The suite's environment file: written whole, readable by root alone, its secrets never changed silently."""

import argparse
import json
import stat
import sys

from . import command as frame
from . import layout, predecessor
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
    former = {name: unquoted(value) for name, value in read(predecessor.ENVIRONMENT.read_text()).items()}
    changed = changed_secrets(former, {name: unquoted(value) for name, value in wanted.items()}, secrets)
    if changed:
        raise Failure("SECRET_CHANGED", "environment", f"{', '.join(changed)} would get another value than {predecessor.ENVIRONMENT} has",
                      "bring the former installation's secrets into the stack with `geoclic-fleet import`, then run again.")
    dropped = [name for name in former if name not in wanted]
    if dropped:
        say("environment", f"warning: {', '.join(dropped)} of {predecessor.ENVIRONMENT} are not set by this tool any more; the file is kept")


def unquoted(value: str) -> str:
    """A value of an environment file, as Compose reads it."""
    text = value.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def read(content: str) -> dict[str, str]:
    """Values by variable, as written."""
    pairs = (line.split("=", 1) for line in content.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value for name, value in pairs}


def changed_secrets(present: dict[str, str], wanted: dict[str, str], secrets: list[str]) -> list[str]:
    return [name for name in secrets if name in present and present[name] != wanted.get(name)]
