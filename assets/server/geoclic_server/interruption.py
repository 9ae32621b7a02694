"""A wish to end the run: SIGTERM is noted, and obeyed where nothing is half done."""

import signal

from .failure import Failure

_asked = False
_is_heard = False


def listen() -> None:
    """From here on SIGTERM is a wish and no end."""
    global _is_heard
    _is_heard = True
    signal.signal(signal.SIGTERM, _note)


def deafen() -> None:
    """From here on the run goes to its end: it is being undone, or it is the running release already."""
    global _is_heard
    _is_heard = False


def check() -> None:
    """Raises Failure CANCELLED once somebody wished it."""
    if _asked and _is_heard:
        raise Failure("CANCELLED", "activation", "somebody ended it, or the server goes down", "run again when it shall go on.")


def _note(_number: int, _frame: object) -> None:
    global _asked
    _asked = True
