"""The way back: the containers that are noted run again, whichever run exchanged them. It needs no Compose, no disk, no journal."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from . import handover, layout, lifecycle
from .compose import Container, Release, containers, find_container
from .exchange import Exchange, Say
from .failure import Failure, known
from .record import Kept, Record

_STEP = "undo"


def data(record: Record) -> list[str]:
    """Services that hold data."""
    return [service for service, kept in record.services.items() if kept.stateful]


def is_exchanged(record: Record, found: Sequence[Container]) -> bool:
    """A container of data is not as noted: another one may have run on its volume."""
    kept = {identity for service in data(record) for identity in record.services[service].containers}
    return any(one.service in data(record) and (one.id not in kept or not lifecycle.is_up(one)) for one in found)


def others(record: Record, found: Sequence[Container]) -> list[str]:
    """The ingress first: it was the last to be exchanged. With services that only the release to come has."""
    names = dict.fromkeys([*reversed(list(record.services)), *(container.service for container in found)])
    holding = data(record)
    return sorted((name for name in names if name not in holding), key=lambda name: not (name in record.services and record.services[name].ingress))


def all_of(record: Record, found: Sequence[Container]) -> list[str]:
    """In the order in which a town that serves goes back."""
    return [*others(record, found), *data(record)]


class WayBack:
    """Of one record. `release`: any whose adapter names this suite's ingress."""

    def __init__(self, record: Record, release: Release, say: Say, *, is_public: bool) -> None:
        """`is_public`: the town serves meanwhile, not the 503 page."""
        self._record, self._release, self._say, self._is_public = record, release, say, is_public
        self._exchange = Exchange(release, say)
        self.restored: list[str] = []
        self.errors: list[str] = []

    def go(self, services: Sequence[str]) -> None:
        """Each service is tried, also when another one failed; what failed is in `errors`."""
        with suppress(Failure):
            self._start_together(services)
        for service in services:
            self.attempt(service, partial(self._restore, service))

    def attempt(self, what: str, work: Callable[[], Any]) -> None:
        try:
            work()
        except Exception as error:
            failure = known(error, _STEP)
            self.errors.append(f"{what}: {failure.cause} ({failure.code})")

    def _restore(self, service: str) -> None:
        own = [container for container in containers(self._release["project"]) if container.service == service]
        kept = self._record.services.get(service, Kept((), False, False, 30))
        back = [container for container in own if container.id in kept.containers]
        ours = [container for container in own if container.id not in kept.containers and container.folder in (str(layout.SHARED), "")]
        running = [container for container in ours if lifecycle.is_up(container)]
        if kept.containers and not back:
            # What runs instead is all that the town has of it.
            raise Failure("CONTAINER_MISSING", _STEP, f"its container {kept.containers[-1][:12]} is gone", "`pulumi up` makes it again.")
        is_changed = bool(ours) or not all(map(lifecycle.is_up, back))
        if back and (running or not all(map(lifecycle.is_up, back))):
            self._give_way(running, back, kept)
        elif running:
            lifecycle.stop(kept.drain_seconds, *running)
        for container in ours:
            lifecycle.remove(container)
        if is_changed:
            self.restored.append(service)

    def _start_together(self, services: Sequence[str]) -> None:
        """Those in whose place nothing runs: one by one they would take as long as all."""
        found = containers(self._release["project"])
        down = []
        for service in services:
            kept = self._record.services.get(service)
            own = [container for container in found if container.service == service]
            if kept and not kept.stateful and not kept.ingress and not any(map(lifecycle.is_up, own)):
                down += [container for container in own if container.id in kept.containers]
        if down:
            lifecycle.start(*down)
            for container in down:
                lifecycle.await_healthy(container)
            self.restored += [container.service for container in down]

    def _give_way(self, running: Sequence[Container], back: Sequence[Container], kept: Kept) -> None:
        is_exclusive = kept.stateful or kept.ingress
        if kept.ingress and running and self._is_public:
            try:
                with handover.keeping_place(self._release, running[-1].service):
                    self._exchange.give_way(running, back[-1], kept.drain_seconds, is_exclusive=True)
                return
            except Exception as error:
                # The second ingress is made by Compose, and is a comfort only.
                self._say(_STEP, f"warning: without a handover: {known(error, _STEP).cause}")
                running = [one for one in map(find_container, [container.id for container in running]) if one and lifecycle.is_up(one)]
        if is_exclusive:
            self._exchange.give_way(running, back[-1], kept.drain_seconds, is_exclusive=True, is_stateful=kept.stateful)
            return
        for container in back:
            self._exchange.give_way(running, container, kept.drain_seconds, is_exclusive=False)
            running = []
