"""Brings services to a release one by one: the new container beside the old one until it is healthy, the old one kept until the end."""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from . import handover, interruption, lifecycle, made, replacement
from .compose import Container, Release, config_hashes, containers, everybodys
from .exchange import Exchange, Say
from .failure import Failure
from .replacement import Step

_STEP = "services"
_FOREIGN_SECONDS = 30


def to_change(release: Release) -> list[str]:
    """Services that do not run the release's configuration."""
    return [step.service for step in _plan(release) if not step.is_done]


def unhealthy(release: Release) -> list[str]:
    """Services that do not run the release's configuration, or whose own check fails."""
    return [step.service for step in _plan(release) if not (step.is_done and step.fresh and step.fresh.is_fine)]


def _plan(release: Release) -> list[Step]:
    return replacement.plan(release, config_hashes(release), made.present(release))


class Rollout:
    """Brings a project's services to a release; the way back is noted before (`record.py`)."""

    def __init__(self, release: Release, say: Say, environment: Path | None = None) -> None:
        """`environment`: the file that its configuration is read with; absent: the next one's."""
        self._release, self._say = release, say
        self._project: str = release["project"]
        self._exchange = Exchange(release, say)
        self.hashes = config_hashes(release, environment)

    @property
    def is_done(self) -> bool:
        return all(step.is_done for step in self._steps())

    def exchange_data(self) -> bool:
        """What holds data, alone: migrations may need the release's own. True when something was replaced."""
        steps = [step for step in self._steps() if step.is_stateful and not step.is_done]
        for step in steps:
            self._replace(step)
        return bool(steps)

    def run(self) -> None:
        """Raises Failure UNHEALTHY for the first service that does not become healthy; its former container serves then."""
        steps = [step for step in self._steps() if not step.is_done]
        if steps:
            self._say(_STEP, f"to change: {', '.join(step.service for step in steps)}")
        # Nothing of theirs is served, so they may start together.
        together = [step for step in steps if not step.is_exclusive and not any(lifecycle.is_up(one) for one in (step.fresh, *step.former) if one)]
        for step in steps:
            if step not in together:
                self._replace(step)
            elif step is together[0]:
                self._start_together(together)

    def finish(self) -> None:
        """Removes the former containers, and those of services that the release does not have."""
        for step in self._steps():
            for container in step.former:
                lifecycle.remove(container)
        for container in replacement.foreign(list(self._release["services"]), containers(self._project)):
            lifecycle.stop(_FOREIGN_SECONDS, container)
            lifecycle.remove(container)
            self._say(_STEP, f"{container.service} removed: it is not in the release")
        own = {container.id for container in containers(self._project)}
        folders = sorted({container.folder for container in everybodys(self._project) if container.id not in own})
        if folders:
            self._say(_STEP, f"warning: containers of another project that is named {self._project} too are left alone ({', '.join(folders)})")

    def _steps(self) -> list[Step]:
        return replacement.plan(self._release, self.hashes, made.present(self._release))

    def _start_together(self, steps: Sequence[Step]) -> None:
        began = time.monotonic()
        fresh = [step.fresh or self._make(step) for step in steps]
        lifecycle.start(*fresh)
        for container in fresh:
            lifecycle.await_healthy(container)
        self._say(_STEP, f"{', '.join(step.service for step in steps)} healthy after {time.monotonic() - began:.1f} s")

    def _replace(self, step: Step) -> None:
        interruption.check()
        began = time.monotonic()
        serving = [container for container in step.former if lifecycle.is_up(container)]
        if serving and step.service == self._release["adapter"]["ingress"]["service"]:
            with handover.keeping_place(self._release, step.service):
                self._put_in_place(step, serving)
        else:
            self._put_in_place(step, serving)
        verb = "replaced" if step.former else "started"
        self._say(_STEP, f"{step.service} {verb} in {time.monotonic() - began:.1f} s")

    def _put_in_place(self, step: Step, serving: Sequence[Container]) -> None:
        drain_seconds = int(self._release["services"][step.service]["drainSeconds"])
        if step.fresh and step.fresh.is_running and not serving:
            # It is all that the town has of this service: it is not removed, whatever becomes of it.
            lifecycle.revive(step.fresh, drain_seconds)
            return
        fresh = step.fresh or self._make(step)
        try:
            self._exchange.give_way(serving, fresh, drain_seconds, is_exclusive=step.is_exclusive, is_stateful=step.is_stateful)
        except Exception:
            with suppress(Failure):
                lifecycle.remove(fresh)
            if step.is_exclusive and serving:
                (lifecycle.start_alone if step.is_stateful else lifecycle.start)(serving[-1])
                # Whoever keeps its place meanwhile goes only then.
                interruption.deafen()
                lifecycle.await_healthy(serving[-1])
            raise

    def _make(self, step: Step) -> Container:
        return lifecycle.make(self._release, step.service, {container.id for container in step.former})
