"""What is to be done with a service's containers so that it runs a release, and which of them are the way back. Pure.

While a release is being activated, the former containers stay, stopped, until the gate is passed: going back is starting them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .compose import Container
from .lifecycle import is_proven, is_up
from .record import Kept


@dataclass(frozen=True)
class Step:
    """One service's way to its wanted configuration."""

    service: str
    fresh: Container | None
    """The container that has it already; None: it must be made."""
    former: tuple[Container, ...]
    """The others, the oldest first."""
    is_exclusive: bool
    """Two at once cannot be: the one that holds the data, the one that holds the ports."""
    is_stateful: bool = False

    @property
    def is_done(self) -> bool:
        return self.fresh is not None and self.fresh.is_running and self.fresh.health != "unhealthy" and not any(
            container.is_running for container in self.former)


def plan(release: Mapping[str, Any], hashes: Mapping[str, str], found: Sequence[Container]) -> list[Step]:
    """A step for every service: what holds data first, the ingress last, the others in the release's order."""
    services: Mapping[str, Any] = release["services"]

    def rank(service: str) -> int:
        return 0 if services[service]["stateful"] else 2 if services[service]["ingress"] else 1

    return [step(service, hashes[service], found, is_exclusive=rank(service) != 1, is_stateful=rank(service) == 0)
            for service in sorted(services, key=rank)]


def step(service: str, wanted: str, found: Sequence[Container], *, is_exclusive: bool, is_stateful: bool = False) -> Step:
    own = [container for container in found if container.service == service]
    fit = [container for container in own if container.config_hash == wanted]
    # An interrupted run may have left several: the one that runs, else the newest.
    fresh = max(fit, key=lambda container: (container.is_fine, container.is_running, container.created), default=None)
    return Step(service, fresh, tuple(container for container in own if container is not fresh), is_exclusive, is_stateful)


def foreign(services: Sequence[str], found: Sequence[Container]) -> list[Container]:
    """Containers of services that the release does not have any more."""
    return [container for container in found if container.service not in services]


def way_back(described: Mapping[str, Mapping[str, Any]], wanted: Mapping[str, str], found: Sequence[Container],
             images: Mapping[str, str]) -> dict[str, Kept]:
    """Every service as it is before anything changes.

    `described`: what is known of services; `wanted`: hashes of the release to come; `images`: the running release's, empty where none runs.
    """
    kept = {}
    for service in dict.fromkeys(container.service for container in found):
        own = [container for container in found if container.service == service]
        own = [container for container in own if is_proven(container)] or own
        # What runs another image than the running release's was left by a run that noted no way back.
        own = [container for container in own if container.image == images.get(service)] or own
        up = [container for container in own if is_up(container)]
        # Beside another one that runs, the one of the release to come was left by a run that was cut.
        others = [container for container in up if container.config_hash != wanted.get(service)] or up
        # What is down is to come back as well: the one that ran last.
        chosen = others or [max(own, key=lambda container: (container.started, container.created))]
        rules = described.get(service, {})
        kept[service] = Kept(tuple(container.id for container in chosen), bool(rules.get("stateful")), bool(rules.get("ingress")),
                             int(rules.get("drainSeconds", 30)))
    return kept
