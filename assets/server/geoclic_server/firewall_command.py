"""`firewall confirm` and `firewall revert`; every other command confirms by itself."""

import argparse

from . import command as frame
from . import firewall


def command() -> None:
    # A confirmation is made by the frame, as for any command that comes by SSH.
    frame.main("firewall", _options, lambda options: firewall.revert(options.after) if options.verb == "revert" else None)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=["confirm", "revert"])
    parser.add_argument("--after", type=int, default=0, help="seconds to wait before going back")
