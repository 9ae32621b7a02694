"""One container gives way to another, forward and back alike, without a failed request where two can run at once."""

from collections.abc import Callable, Sequence

from . import lifecycle
from .compose import Container, Release
from .detour import Detours

_STEP = "services"

Say = Callable[[str, str], None]


class Exchange:
    """`release`: names the ingress."""

    def __init__(self, release: Release, say: Say) -> None:
        self._release, self._say = release, say

    def give_way(self, serving: Sequence[Container], fresh: Container, drain_seconds: int, *, is_exclusive: bool, is_stateful: bool = False) -> None:
        """`fresh` serves in place of the others, which are stopped. Raises Failure when it is not healthy, or one does not stop."""
        if is_exclusive:
            lifecycle.stop(drain_seconds, *serving)
        if is_exclusive or not serving:
            (lifecycle.start_alone if is_stateful else lifecycle.start)(fresh)
            lifecycle.await_healthy(fresh)
            return
        detours = Detours(self._release)
        try:
            detours.hold(serving[-1], fresh)
            lifecycle.start(fresh)
            lifecycle.await_healthy(fresh)
        except Exception:
            lifecycle.stop(1, fresh)
            detours.settle()
            raise
        detours.lead(serving, fresh)
        if not lifecycle.drain(serving, drain_seconds):
            self._say(_STEP, f"{fresh.service}: somebody is still connected to the former container after {drain_seconds} s")
        lifecycle.stop(drain_seconds, *serving)
        detours.settle()

