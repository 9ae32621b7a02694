"""One container's life: made beside what there is, started, awaited, drained, stopped, removed."""

import time
from collections.abc import Sequence
from pathlib import Path

from . import interruption
from .compose import Container, Release, compose, containers, find_container, last_lines
from .connections import inbound, quiet_seconds
from .failure import Failure, one_line
from .process import Result, run

_STEP = "services"
_HEALTHY_SECONDS = 180
_RECOVERY_SECONDS = 60
_RESTARTS = 3
"""A service may meet another one that still starts; more than this is a loop."""
_IDLE_LOOKS = 3
_QUIET_SECONDS = 3.0


def make(release: Release, service: str, present: set[str]) -> Container:
    """A container of the release's configuration beside those present (ids), not started."""
    made = compose(release, "up", "--no-start", "--no-recreate", "--no-build", "--no-deps", "--pull", "never",
                   "--scale", f"{service}={len(present) + 1}", service)
    fresh = [one for one in containers(release["project"]) if one.service == service and one.id not in present]
    if made.status != 0 or len(fresh) != 1:
        raise Failure("START_FAILED", _STEP, f"{service}: {one_line(made.said, 400)}", "look at `docker ps -a` on the server.")
    return fresh[0]


def start(*chosen: Container) -> None:
    started = run(["docker", "start", *[container.id for container in chosen]], timeout=120)
    if started.status != 0:
        names = ", ".join(container.service for container in chosen)
        raise Failure("START_FAILED", _STEP, f"{names}: {one_line(started.stderr, 400)}", "look at `docker ps -a` on the server.")


def await_healthy(container: Container) -> None:
    end = time.monotonic() + _HEALTHY_SECONDS
    fine_since: float | None = None
    while True:
        interruption.check()
        now = find_container(container.id)
        is_fine = now is not None and now.is_fine
        fine_since = (fine_since or time.monotonic()) if is_fine else None
        # Without a check, running for a while must do.
        if now and fine_since is not None and (now.health or time.monotonic() - fine_since > 3):
            return
        # One that has just crashed counts as unhealthy too, and may come up at its next start.
        is_lost = now is None or now.condition in ("unhealthy", "exited", "dead") or now.restarts >= _RESTARTS
        if is_lost or time.monotonic() > end:
            raise _unhealthy(container, now)
        time.sleep(0.3)


def revive(container: Container, drain_seconds: int) -> None:
    """One that runs and fails its check: a busy server may be the reason, so it gets time before it is started again."""
    end = time.monotonic() + _RECOVERY_SECONDS
    while time.monotonic() < end:
        interruption.check()
        now = find_container(container.id)
        if now and now.is_fine:
            return
        time.sleep(0.5)
    stop(container, drain_seconds)
    start(container)
    await_healthy(container)


def drain(chosen: Sequence[Container], seconds: int) -> bool:
    """Waits until nobody is connected to them any more. False: somebody still was when the time was over."""
    end = time.monotonic() + seconds
    looks = 0
    while looks < _IDLE_LOOKS:
        # An application may be about to accept a connection: one look is not enough.
        looks = looks + 1 if all(_is_idle(container) for container in chosen) else 0
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def is_quiet(ingress: Container) -> bool:
    """Nothing came from a browser for three seconds: hardly one is about to ask on a connection that it keeps."""
    listed = inside(ingress, "ss", "-tinHO", "state", "established", "( sport = :443 or sport = :80 )")
    return listed.status == 0 and quiet_seconds(listed.stdout) >= _QUIET_SECONDS


def await_quiet(ingress: Container, seconds: float) -> None:
    """Before connections that browsers keep are closed. A town that is never quiet has waited in vain then."""
    end = time.monotonic() + seconds
    while not is_quiet(ingress) and time.monotonic() < end:
        time.sleep(0.1)


def inside(container: Container, *words: str, stdin: str | None = None) -> Result:
    """A program of the server, in a running container's network."""
    return run(["nsenter", f"--net=/proc/{container.pid}/ns/net", *words], stdin=stdin)


def stop(container: Container, seconds: int) -> None:
    """SIGTERM (or what the image says), and time for the last requests."""
    run(["docker", "stop", "-t", str(seconds), container.id], timeout=seconds + 60)


def remove(container: Container) -> None:
    run(["docker", "rm", "-f", container.id])


def _is_idle(container: Container) -> bool:
    now = find_container(container.id)
    if now is None or not now.is_running:
        return True
    try:
        return inbound("\n".join(Path(f"/proc/{now.pid}/net/{name}").read_text() for name in ("tcp", "tcp6"))) == 0
    except OSError:
        return True


def _unhealthy(container: Container, now: Container | None) -> Failure:
    condition = "gone" if now is None else f"{now.condition} after {now.restarts} restarts"
    said = one_line(now.health_output, 300) if now else ""
    lines = one_line(last_lines(container.id), 1200)
    cause = f"{container.service} is {condition}" + (f"; its check says: {said}" if said else "") + f"; its last lines: {lines or 'none'}"
    return Failure("UNHEALTHY", _STEP, cause, f"correct {container.service} in the suite (or pin the former release), then run again.")
