"""Replaces services one by one: the new container beside the old one until it is healthy, the old one kept until the end."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import layout, predecessor, replacement
from .compose import Container, compose, config_hashes, containers, find_container, last_lines
from .failure import Failure, one_line
from .process import run
from .replacement import Step

_STEP = "services"
_TRIAL = "geoclic-trial"
_HEALTHY_SECONDS = 180
_RESTARTS = 3
"""A service may meet another one that still starts; more than this is a loop."""

Release = dict[str, Any]
Say = Callable[[str, str], None]


def to_change(release: Release) -> list[str]:
    """Services that do not run the release's configuration."""
    return [step.service for step in replacement.plan(release, config_hashes(release), containers(release["project"])) if not step.is_done]


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
        """Starts the former containers again and removes the new ones. Raises Failure when one does not come back."""
        former_hashes = config_hashes(former) if former else {}
        for step in reversed(self._plan()):
            back = replacement.to_restore(step, former_hashes.get(step.service))
            if step.service in self.touched and (back or (former and step.service not in former["services"])):
                self._restore(step, back)
        self._say("undo", f"{', '.join(self.touched)} as before")

    def give_back(self) -> None:
        """Starts the containers again that this tool did not make and removes its own, whichever run made them. Raises Failure when one does not come back."""
        for step in reversed(self._plan()):
            own = [container for container in (*step.former, *([step.fresh] if step.fresh else [])) if not predecessor.is_its(container)]
            back = max((container for container in step.former if predecessor.is_its(container)), key=lambda container: container.created, default=None)
            if step.is_exclusive:
                self._stop_all([container for container in own if container.is_running])
            if back:
                self._start(back)
                self._await_healthy(back)
            if not step.is_exclusive and own:
                self._let_ingress_resolve()
                self._stop_all([container for container in own if container.is_running])
                self._let_ingress_resolve()
            for container in own:
                self._remove(container)
        self._say("undo", "the former installation's containers run again")

    def finish(self) -> None:
        """Removes the former containers, and those of services that the release does not have."""
        for step in self._plan():
            for container in step.former:
                self._remove(container)
        for container in replacement.foreign(list(self._release["services"]), containers(self._project)):
            self._stop(container, 30)
            self._remove(container)
            self._say(_STEP, f"{container.service} removed: it is not in the release")

    def _plan(self) -> list[Step]:
        return replacement.plan(self._release, self._hashes, containers(self._project))

    def _start_together(self, steps: Sequence[Step]) -> None:
        began = time.monotonic()
        self.touched += [step.service for step in steps]
        fresh = [step.fresh or self._make(step) for step in steps]
        self._start(*fresh)
        for container in fresh:
            self._await_healthy(container)
        self._say(_STEP, f"{', '.join(step.service for step in steps)} healthy after {time.monotonic() - began:.1f} s")

    def _replace(self, step: Step) -> None:
        began = time.monotonic()
        serving = [container for container in step.former if container.is_running]
        if serving and step.service == self._release["adapter"]["ingress"]["service"]:
            self._try(step.service)
        self.touched.append(step.service)
        fresh = step.fresh or self._make(step)
        if step.is_exclusive:
            self._stop_all(serving)
        try:
            self._start(fresh)
            self._await_healthy(fresh)
        except Failure:
            self._remove(fresh)
            if step.is_exclusive and serving:
                self._start(*serving)
            raise
        if not step.is_exclusive and serving:
            self._let_ingress_resolve()
            self._stop_all(serving)
            self._let_ingress_resolve()
        verb = "replaced" if step.former else "started"
        self._say(_STEP, f"{step.service} {verb} in {time.monotonic() - began:.1f} s")

    def _restore(self, step: Step, back: Container | None) -> None:
        if step.fresh and (step.is_exclusive or back is None):
            self._remove(step.fresh)
        if back is None:
            return
        self._start(back)
        self._await_healthy(back)
        if step.fresh and not step.is_exclusive:
            self._let_ingress_resolve()
            self._stop_all([step.fresh])
            self._remove(step.fresh)
            self._let_ingress_resolve()

    def _make(self, step: Step) -> Container:
        """A container of the release's configuration beside what there is, not started."""
        present = {container.id for container in step.former}
        made = compose(self._release, "up", "--no-start", "--no-recreate", "--no-build", "--no-deps", "--pull", "never",
                       "--scale", f"{step.service}={len(present) + 1}", step.service)
        fresh = [one for one in containers(self._project) if one.service == step.service and one.id not in present]
        if made.status != 0 or len(fresh) != 1:
            raise Failure("START_FAILED", _STEP, f"{step.service}: {one_line(made.said, 400)}", "look at `docker ps -a` on the server.")
        return fresh[0]

    def _start(self, *chosen: Container) -> None:
        started = run(["docker", "start", *[container.id for container in chosen]], timeout=120)
        if started.status != 0:
            names = ", ".join(container.service for container in chosen)
            raise Failure("START_FAILED", _STEP, f"{names}: {one_line(started.stderr, 400)}", "look at `docker ps -a` on the server.")

    def _await_healthy(self, container: Container) -> None:
        end = time.monotonic() + _HEALTHY_SECONDS
        fine_since: float | None = None
        while True:
            now = find_container(container.id)
            is_fine = now is not None and now.is_fine
            fine_since = (fine_since or time.monotonic()) if is_fine else None
            # Without a check, running for a while must do.
            if now and fine_since is not None and (now.health or time.monotonic() - fine_since > 3):
                return
            # One that has just crashed counts as unhealthy too, and may come up at its next start.
            is_lost = now is None or now.condition in ("unhealthy", "exited", "dead") or now.restarts >= _RESTARTS
            if is_lost or time.monotonic() > end:
                raise self._unhealthy(container, now)
            time.sleep(0.3)

    def _unhealthy(self, container: Container, now: Container | None) -> Failure:
        condition = "gone" if now is None else f"{now.condition} after {now.restarts} restarts"
        said = one_line(now.health_output, 300) if now else ""
        lines = one_line(last_lines(container.id), 1200)
        cause = f"{container.service} is {condition}" + (f"; its check says: {said}" if said else "") + f"; its last lines: {lines or 'none'}"
        return Failure("UNHEALTHY", _STEP, cause, f"correct {container.service} in the suite (or pin the former release), then run again.")

    def _stop_all(self, chosen: Sequence[Container]) -> None:
        for container in chosen:
            self._stop(container, int(self._release["services"][container.service]["drainSeconds"]))

    @staticmethod
    def _stop(container: Container, seconds: int) -> None:
        """SIGTERM (or what the image says), and time for the last requests."""
        run(["docker", "stop", "-t", str(seconds), container.id], timeout=seconds + 60)

    @staticmethod
    def _remove(container: Container) -> None:
        run(["docker", "rm", "-f", container.id])

    def _try(self, service: str) -> None:
        """A service that will stop before its successor starts is tried in a container of its own, without ports."""
        run(["docker", "rm", "-f", _TRIAL])
        try:
            made = compose(self._release, "run", "-d", "--no-deps", "--name", _TRIAL, service, timeout=60)
            trial = find_container(_TRIAL)
            if made.status != 0 or trial is None:
                raise Failure("START_FAILED", _STEP, f"{service}: {one_line(made.stderr, 400)}", "look at `docker ps -a` on the server.")
            self._await_healthy(trial)
        finally:
            run(["docker", "rm", "-f", _TRIAL])

    def _let_ingress_resolve(self) -> None:
        """An ingress with fixed upstreams learns addresses only when it loads; one that resolves needs no reload."""
        tls = self._release["adapter"]["tls"]
        for ingress in containers(self._project):
            if ingress.service != tls["service"] or not ingress.is_running or replacement.resolves_by_itself(_configurations(ingress)):
                continue
            if run(["docker", "exec", ingress.id, *tls["test"]]).status == 0:
                run(["docker", "exec", ingress.id, *tls["reload"]])
                # New workers take over a moment after the command.
                time.sleep(1)


def _configurations(container: Container) -> list[str]:
    """Ours by content, or the predecessor's in its folder."""
    mounted = [Path(source) for source in container.mounts if Path(source).is_relative_to(layout.BINDS) or Path(source).is_relative_to(predecessor.CONFIGURATION)]
    files = [file for path in mounted for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file() and file.suffix in (".conf", ".inc")]
    return [file.read_text(errors="replace") for file in files]
