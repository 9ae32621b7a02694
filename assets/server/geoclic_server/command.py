"""The frame of every command: options, the scripts' version, the firewall's confirmation, the line of a failure."""

import argparse
import os
import re
import sys
import traceback
from collections.abc import Callable

from . import firewall, layout
from .failure import Failure, known

Options = argparse.Namespace


def main(name: str, configure: Callable[[argparse.ArgumentParser], None], work: Callable[[Options], None]) -> None:
    """Parses the options and does the work; ends the process with 1 after a known failure."""
    parser = argparse.ArgumentParser(prog=name, allow_abbrev=False)
    parser.add_argument("--client", required=True, help="name of the client, for messages")
    parser.add_argument("--expect", help="hash of the scripts that the caller means")
    configure(parser)
    options = parser.parse_args()
    os.umask(0o022)
    try:
        _check(name, options)
        work(options)
    except Exception as error:
        failure = known(error, name)
        if failure.code == "DEFECT":
            traceback.print_exc()
        sys.stdout.flush()
        print(failure.line(options.client), file=sys.stderr)
        sys.exit(1)


def _check(name: str, options: Options) -> None:
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", options.client):
        options.client = "?"
        raise Failure("CLIENT_INVALID", name, "the client's name is not valid", "give the name of the stack file.")
    if os.geteuid() != 0:
        raise Failure("NOT_ROOT", name, "this needs root", "call it by sudo.")
    installed = os.path.basename(os.path.realpath(layout.SCRIPTS))
    if options.expect and options.expect != installed:
        raise Failure("SCRIPTS_DIFFER", name, f"the scripts here are {installed}, expected {options.expect}",
                      "run `pulumi up` again: it brings them first.")
    firewall.confirm()
