"""Replaces services one by one: the new container beside the old one until it is healthy, the old one kept until the end."""

import time
from collections.abc import Callable, Sequence

from . import handover, interruption, lifecycle, predecessor, replacement
from .compose import Container, Release, config_hashes, containers
from .detour import Detours
from .failure import Failure
from .replacement import Step

_STEP = "services"

Say = Callable[[str, str], None]


def to_change(release: Release) -> list[str]:
    """Services that do not run the release's configuration."""
    return [step.service for step in replacement.plan(release, config_hashes(release), containers(release["project"])) if not step.is_done]


def unhealthy(release: Release) -> list[str]:
    """Services that do not run the release's configuration, or whose own check fails."""
    plan = replacement.plan(release, config_hashes(release), containers(release["project"]))
    return [step.service for step in plan if not (step.is_done and step.fresh and step.fresh.is_fine)]


class Rollout:
    """Brings a project's services to a release; `undo` takes it back, `finish` removes what `undo` would have needed."""

    def __init__(self, release: Release, say: Say) -> None:
        self._release, self._say = release, say
        self._project: str = release["project"]
        self._hashes = config_hashes(release)
        self.touched: list[str] = []

    def run(self) -> None:
        """Raises Failure UNHEALTHY for the first service that does not become healthy; its former container serves then."""
        steps = [step for step in self._plan() if not step.is_done]
        if steps:
            self._say(_STEP, f"to change: {', '.join(step.service for step in steps)}")
        # Nothing of theirs is served yet, so they may start together.
        first = [step for step in steps if not step.is_exclusive and not step.former]
        for step in steps:
            if step in first:
                self._start_together(first)
                first = []
            if step.is_exclusive or step.former:
                self._replace(step)

    def undo(self, former: Release | None) -> None:
        """Starts the former containers again and removes the new ones, an interrupted run's too. Raises Failure when one does not come back."""
        former_hashes = config_hashes(former) if former else {}
        restored = []
        for step in reversed(self._plan()):
            former_hash = former_hashes.get(step.service)
            back = replacement.to_restore(step, former_hash)
            is_touched = step.service in self.touched and (back or (former and step.service not in former["services"]))
            if is_touched or replacement.is_left_replaced(step, back, former_hash):
                self._restore(step, back, former)
                restored.append(step.service)
        self._say("undo", f"as before: {', '.join(restored) or 'everything'}")

    def give_back(self) -> None:
        """Starts the containers again that this tool did not make and removes its own, whichever run made them. Raises Failure when one does not come back."""
        for step in reversed(self._plan()):
            own = [container for container in (*step.former, *([step.fresh] if step.fresh else [])) if not predecessor.is_its(container)]
            back = max((container for container in step.former if predecessor.is_its(container)), key=lambda container: container.created, default=None)
            self._give_way([container for container in own if container.is_running], back, is_exclusive=step.is_exclusive)
            for container in own:
                lifecycle.remove(container)
        self._say("undo", "the former installation's containers run again")

    def finish(self) -> None:
        """Removes the former containers, and those of services that the release does not have."""
        for step in self._plan():
            for container in step.former:
                lifecycle.remove(container)
        for container in replacement.foreign(list(self._release["services"]), containers(self._project)):
            lifecycle.stop(container, 30)
            lifecycle.remove(container)
            self._say(_STEP, f"{container.service} removed: it is not in the release")

    def _plan(self) -> list[Step]:
        return replacement.plan(self._release, self._hashes, containers(self._project))

    def _start_together(self, steps: Sequence[Step]) -> None:
        began = time.monotonic()
        self.touched += [step.service for step in steps]
        fresh = [step.fresh or self._make(step) for step in steps]
        lifecycle.start(*fresh)
        for container in fresh:
            lifecycle.await_healthy(container)
        self._say(_STEP, f"{', '.join(step.service for step in steps)} healthy after {time.monotonic() - began:.1f} s")

    def _replace(self, step: Step) -> None:
        interruption.check()
        began = time.monotonic()
        serving = [container for container in step.former if container.is_running]
        self.touched.append(step.service)
        if serving and self._is_ingress(step.service):
            with handover.keeping_place(self._release, step.service):
                self._put_in_place(step, serving)
        else:
            self._put_in_place(step, serving)
        verb = "replaced" if step.former else "started"
        self._say(_STEP, f"{step.service} {verb} in {time.monotonic() - began:.1f} s")

    def _put_in_place(self, step: Step, serving: Sequence[Container]) -> None:
        if step.fresh and step.fresh.is_running and not serving:
            # It is all that the town has of this service: it is not removed, whatever becomes of it.
            lifecycle.revive(step.fresh, self._drain_seconds(step.service))
            return
        fresh = step.fresh or self._make(step)
        try:
            self._give_way(serving, fresh, is_exclusive=step.is_exclusive)
        except Failure:
            lifecycle.remove(fresh)
            if step.is_exclusive and serving:
                lifecycle.start(*serving)
                # Whoever keeps its place meanwhile goes only then.
                interruption.deafen()
                lifecycle.await_healthy(serving[-1])
            raise

    def _restore(self, step: Step, back: Container | None, former: Release | None) -> None:
        own = [step.fresh] if step.fresh else []
        running = [container for container in own if container.is_running]
        if back and former and running and self._is_ingress(step.service):
            with handover.keeping_place(former, step.service):
                self._give_way(running, back, is_exclusive=True)
        else:
            self._give_way(running, back, is_exclusive=step.is_exclusive)
        for container in own:
            lifecycle.remove(container)

    def _give_way(self, serving: Sequence[Container], fresh: Container | None, *, is_exclusive: bool) -> None:
        """`fresh` serves in place of the others, which are stopped. Raises Failure when it is not healthy."""
        if fresh is None or is_exclusive:
            self._stop_all(serving)
        if fresh is None:
            return
        if is_exclusive or not serving:
            lifecycle.start(fresh)
            lifecycle.await_healthy(fresh)
            return
        detours = Detours(self._release)
        try:
            detours.hold(serving[-1], fresh)
            lifecycle.start(fresh)
            lifecycle.await_healthy(fresh)
        except Failure:
            lifecycle.stop(fresh, 1)
            detours.settle()
            raise
        detours.lead(serving, fresh)
        if not lifecycle.drain(serving, self._drain_seconds(fresh.service)):
            self._say(_STEP, f"{fresh.service}: somebody is still connected to the former container after {self._drain_seconds(fresh.service)} s")
        self._stop_all(serving)
        detours.settle()

    def _make(self, step: Step) -> Container:
        return lifecycle.make(self._release, step.service, {container.id for container in step.former})

    def _stop_all(self, chosen: Sequence[Container]) -> None:
        for container in chosen:
            lifecycle.stop(container, self._drain_seconds(container.service))

    def _drain_seconds(self, service: str) -> int:
        return int(self._release["services"][service]["drainSeconds"])

    def _is_ingress(self, service: str) -> bool:
        return bool(service == self._release["adapter"]["ingress"]["service"])
