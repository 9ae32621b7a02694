"""The suite's own hooks: administrator, town's name, default accounts. JSON goes in by standard input only."""

import argparse
import json
import sys
from typing import Any

from . import command as frame
from . import layout
from .compose import container_of
from .failure import Failure, say
from .process import run

_STEP = "init"


def command() -> None:
    frame.main("init", _options, lambda options: initialise(sys.stdin.read()))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = "standard input: {admin: {email, password, firstName, lastName}, town: {name}}"


def initialise(text: str) -> None:
    """Makes the administrator when there is none of that e-mail, sets the town's name, disables accounts of the suite's own."""
    try:
        wanted = json.loads(text)
        admin, town = wanted["admin"], wanted["town"]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure("INPUT_INVALID", _STEP, "the input is not JSON with admin and town", "run `pulumi up` again.") from error
    release = layout.running_release()
    if release is None:
        raise Failure("NO_RELEASE", _STEP, "no release runs here yet", "activate one first (`pulumi up`).")
    described = layout.read_release(release)
    say(_STEP, f"administrator: {_call(described, 'createAdmin', admin)}")
    say(_STEP, f"town: {_call(described, 'setTown', town)}")
    say(_STEP, f"default accounts: {_call(described, 'disableDefaultAdmin', {'keep': admin['email']})}")


def _call(release: dict[str, Any], name: str, value: dict[str, Any]) -> str:
    hook = release["hooks"][name]
    container = container_of(release["project"], hook["service"])
    end = run(["docker", "exec", "-i", container, *hook["argv"]], stdin=json.dumps(value), timeout=120)
    if end.status != 0:
        raise Failure("HOOK_FAILED", _STEP, f"{name}: {end.said.splitlines()[-1][:300]}", "look at the logs of the suite, then run again.")
    return end.stdout.strip().splitlines()[-1][:200] if end.stdout.strip() else "done"
