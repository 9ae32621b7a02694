"""What is to be done with a service's containers so that it runs a release. Pure.

While a release is being activated, the former containers stay, stopped, until the gate is passed: going back is starting them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .compose import Container


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

    @property
    def is_done(self) -> bool:
        return self.fresh is not None and self.fresh.is_running and self.fresh.health != "unhealthy" and not any(
            container.is_running for container in self.former)


def plan(release: Mapping[str, Any], hashes: Mapping[str, str], found: Sequence[Container]) -> list[Step]:
    """A step for every service: what holds data first, the ingress last, the others in the release's order."""
    services: Mapping[str, Any] = release["services"]

    def rank(service: str) -> int:
        return 0 if services[service]["stateful"] else 2 if services[service]["ingress"] else 1

    return [step(service, hashes[service], found, is_exclusive=rank(service) != 1) for service in sorted(services, key=rank)]


def step(service: str, wanted: str, found: Sequence[Container], *, is_exclusive: bool) -> Step:
    own = [container for container in found if container.service == service]
    fit = [container for container in own if container.config_hash == wanted]
    # An interrupted run may have left several: the one that runs, else the newest.
    fresh = max(fit, key=lambda container: (container.is_fine, container.is_running, container.created), default=None)
    return Step(service, fresh, tuple(container for container in own if container is not fresh), is_exclusive)


def to_restore(step: Step, former_hash: str | None) -> Container | None:
    """Of the former containers the one to go back to: the former release's, else the newest."""
    return max(step.former, key=lambda container: (container.config_hash == former_hash, container.created), default=None)


def is_left_replaced(step: Step, back: Container | None, former_hash: str | None) -> bool:
    """Whether an interrupted run exchanged the former release's container, or stopped it."""
    if back is None or back.config_hash != former_hash:
        return False
    return step.fresh.config_hash != former_hash if step.fresh else not back.is_running


def foreign(services: Sequence[str], found: Sequence[Container]) -> list[Container]:
    """Containers of services that the release does not have any more."""
    return [container for container in found if container.service not in services]
