"""The suite's first data: administrator and town's name, by the adapter's hooks inside the suite's own containers."""

import argparse
import json
import sys
from typing import Any

from . import command as frame
from . import layout
from .compose import container_of
from .failure import Failure, one_line, say
from .process import run

_STEP = "init"


def command() -> None:
    frame.main("init", _options, lambda options: initialise(_read(sys.stdin.read())))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.description = 'standard input: JSON {"admin": {"email", "password", "firstName", "lastName"}, "town": {"name"}}'


def initialise(given: dict[str, Any]) -> None:
    """Each hook may run again: what is there stays. Raises Failure HOOK_FAILED."""
    release_id = layout.running_release()
    if release_id is None:
        raise Failure("NOT_ACTIVATED", _STEP, "no release runs here yet", "run `pulumi up` first.")
    release = layout.read_release(release_id)
    created = _run_hook(release, "createAdmin", given["admin"])
    say(_STEP, f"administrator {given['admin']['email']} {'created' if created.get('created') else 'was there'}")
    _run_hook(release, "setTown", given["town"])
    say(_STEP, "the town's name is set")
    _run_hook(release, "disableDefaultAdmin", {"keep": given["admin"]["email"]})
    say(_STEP, "no account that ships with the suite is active")


def _read(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
        complete = all(isinstance(given["admin"][key], str) for key in ("email", "password", "firstName", "lastName"))
        if complete and isinstance(given["town"]["name"], str):
            return dict(given)
    except (ValueError, KeyError, TypeError):
        pass
    # Nothing of the input is shown: it holds a password.
    raise Failure("INPUT_INVALID", _STEP, "standard input is not the JSON expected, with admin and town", "see `init --help`.")


def _run_hook(release: dict[str, Any], name: str, given: dict[str, Any]) -> dict[str, Any]:
    """What the hook prints, JSON in its last line."""
    hook = release["hooks"][name]
    container = container_of(release["project"], hook["service"])
    end = run(["docker", "exec", "-i", container, *hook["argv"]], stdin=json.dumps(given, ensure_ascii=False), timeout=120)
    lines = end.stdout.strip().splitlines()
    try:
        if end.status == 0 and isinstance(answer := json.loads(lines[-1]), dict):
            return answer
    except (ValueError, IndexError):
        pass
    said = one_line(end.stderr, 400) or (f"exit status {end.status}, no JSON" if not lines else lines[-1][:200])
    for secret in (value for key, value in given.items() if key == "password"):
        said = said.replace(secret, "***")
    raise Failure("HOOK_FAILED", _STEP, f"{name} in {hook['service']}: {said}", "look at the service's logs on the server, then run again.")
