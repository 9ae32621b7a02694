"""systemd, asked and told by one unit at a time where its own answer for several would mislead."""

from collections.abc import Sequence

from .failure import Failure
from .process import run


def all_enabled(units: Sequence[str]) -> bool:
    """`systemctl is-enabled` itself is content with one of several."""
    return not not_enabled(units)


def not_enabled(units: Sequence[str]) -> list[str]:
    return [unit for unit in units if run(["systemctl", "is-enabled", "--quiet", unit]).status != 0]


def all_active(units: Sequence[str]) -> bool:
    """`systemctl is-active` itself is content with one of several."""
    return all(run(["systemctl", "is-active", "--quiet", unit]).status == 0 for unit in units)


def tell(step: str, *words: str) -> None:
    """Raises Failure UNIT_FAILED."""
    result = run(["systemctl", *words])
    if result.status != 0:
        raise Failure("UNIT_FAILED", step, f"systemctl {' '.join(words)}: {result.said}", "look at `systemctl status` on the server.")


def prove_calendar(step: str, expression: str) -> None:
    """Raises Failure UNIT_FAILED for a time that this systemd does not understand; unjudged where it cannot be asked."""
    judged = run(["systemd-analyze", "calendar", expression])
    if judged.status not in (0, 127):
        raise Failure("UNIT_FAILED", step, f"systemd does not understand the time {expression!r}: {judged.said}", "correct the schedules in the stack file.")
