"""One container's life: made beside what there is, started, awaited, drained, stopped, removed.

Docker starts a container again after a reboot only once it is proven (`keep`); until then this module does, while it is watched.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from . import interruption
from .compose import Container, Release, compose, containers, everybodys, find_container, last_lines
from .connections import inbound, quiet_seconds
from .failure import Failure, one_line
from .process import Result, run

_STEP = "services"
_HEALTHY_SECONDS = 180
_RECOVERY_SECONDS = 60
_RESTARTS = 3
"""A service may meet another one that still starts; more than this is a loop."""
_UNPROVEN, _PROVEN = "no", "unless-stopped"
_ENGINE_SECONDS = 300
_IDLE_LOOKS = 3
_QUIET_SECONDS = 3.0


def make(release: Release, service: str, present: set[str]) -> Container:
    """A container of the release's configuration beside those present (ids), not started."""
    counted = {one.id for one in everybodys(release["project"]) if one.service == service} | present
    made = compose(release, "up", "--no-start", "--no-recreate", "--no-build", "--no-deps", "--pull", "never",
                   "--scale", f"{service}={len(counted) + 1}", service)
    fresh = [one for one in containers(release["project"]) if one.service == service and one.id not in counted]
    if made.status != 0 or len(fresh) != 1:
        raise Failure("START_FAILED", _STEP, f"{service}: {one_line(made.said, 400)}", "look at `docker ps -a` on the server.")
    _set_restart(_UNPROVEN, fresh[0])
    return fresh[0]


def keep(*proven: Container) -> None:
    """From here on Docker itself brings them up, after a crash and after a reboot."""
    _set_restart(_PROVEN, *proven)


def is_proven(container: Container) -> bool:
    return container.restart != _UNPROVEN


def _set_restart(policy: str, *chosen: Container) -> None:
    if not chosen:
        return
    updated = run(["docker", "update", "--restart", policy, *[container.id for container in chosen]])
    if updated.status != 0:
        names = ", ".join(container.service for container in chosen)
        raise Failure("START_FAILED", _STEP, f"{names}: restart policy {policy}: {one_line(updated.said, 400)}", "look at `docker ps -a` on the server.")


def start(*chosen: Container) -> None:
    started = run(["docker", "start", *[container.id for container in chosen]], timeout=120)
    if started.status != 0:
        names = ", ".join(container.service for container in chosen)
        raise Failure("START_FAILED", _STEP, f"{names}: {one_line(started.stderr, 400)}", "look at `docker ps -a` on the server.")


def start_alone(container: Container) -> None:
    """One that holds data: never while another one has its folder. Raises Failure VOLUME_IN_USE."""
    for volume in container.volumes:
        asked = run(["docker", "ps", "--no-trunc", "--quiet", "--filter", f"volume={volume}"])
        others = [each for each in asked.stdout.split() if each != container.id]
        if asked.status != 0 or others:
            found = f"container {', '.join(each[:12] for each in others)} runs on volume {volume}" if others else one_line(asked.said, 300)
            raise Failure("VOLUME_IN_USE", _STEP, f"{container.service} is not started: {found}",
                          "two databases on one folder destroy it: stop the other one (`docker stop`), then run again.")
    start(container)


def await_engine() -> None:
    """Raises Failure DOCKER_DOWN when Docker gives no answer for minutes: systemd starts it again after a crash."""
    end = time.monotonic() + _ENGINE_SECONDS
    while (asked := run(["docker", "version", "--format", "{{.Server.Version}}"], timeout=30)).status != 0:
        if time.monotonic() > end:
            raise Failure("DOCKER_DOWN", "docker", one_line(asked.said, 300), "look at `systemctl status docker` on the server.")
        time.sleep(1)


def await_healthy(container: Container) -> None:
    end = time.monotonic() + _HEALTHY_SECONDS
    fine_since: float | None = None
    again = 0
    while True:
        interruption.check()
        now = find_container(container.id)
        is_fine = now is not None and now.is_fine
        fine_since = (fine_since or time.monotonic()) if is_fine else None
        # Without a check, running for a while must do.
        if now and fine_since is not None and (now.health or time.monotonic() - fine_since > 3):
            return
        if now and now.status == "exited" and not is_proven(now) and again < _RESTARTS:
            again += 1
            time.sleep(again)
            start(container)
            continue
        # One that has just crashed counts as unhealthy too, and may come up at its next start.
        is_lost = now is None or now.condition in ("unhealthy", "exited", "dead") or now.restarts >= _RESTARTS
        if is_lost or time.monotonic() > end:
            raise _unhealthy(container, now, again)
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
    stop(drain_seconds, container)
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
    # The process of before may have ended, and its number be another's, whose network this is not.
    now = find_container(container.id)
    if now is None or not now.pid:
        return Result(127, "", f"{container.service} does not run")
    return run(["nsenter", f"--net=/proc/{now.pid}/ns/net", *words], stdin=stdin)


def stop(seconds: int, *chosen: Container) -> None:
    """SIGTERM (or what the image says) to all at once, and time for the last requests. Raises Failure STOP_FAILED while one runs."""
    if not chosen:
        return
    stopped = run(["docker", "stop", "-t", str(seconds), *[container.id for container in chosen]], timeout=seconds + 60)
    still = [now for now in map(find_container, [container.id for container in chosen]) if now and is_up(now)]
    if still:
        raise Failure("STOP_FAILED", _STEP, f"{', '.join(f'{now.service} is {now.condition} still' for now in still)}: {one_line(stopped.said, 300)}",
                      "look at `docker ps` and `systemctl status docker` on the server, then run again.")


def writers(release: Release) -> list[Container]:
    """Whoever may change the database and runs: all but what holds the data and what shows the page, of whatever release."""
    def may_write(service: str) -> bool:
        rules = release["services"].get(service, {})
        return not rules.get("stateful") and not rules.get("ingress")

    return [container for container in containers(release["project"]) if is_up(container) and may_write(container.service)]


def is_up(container: Container) -> bool:
    """It runs, or does so again by itself in a moment."""
    return container.status in ("running", "restarting", "paused")


def remove(container: Container) -> None:
    """Raises Failure REMOVE_FAILED while it is there."""
    removed = run(["docker", "rm", "-f", container.id])
    if removed.status != 0 and find_container(container.id) is not None:
        raise Failure("REMOVE_FAILED", _STEP, f"{container.service}: {one_line(removed.said, 300)}", "look at `docker ps -a` on the server, then run again.")


def _is_idle(container: Container) -> bool:
    now = find_container(container.id)
    if now is None or not now.is_running:
        return True
    try:
        return inbound("\n".join(Path(f"/proc/{now.pid}/net/{name}").read_text() for name in ("tcp", "tcp6"))) == 0
    except OSError:
        return True


def _unhealthy(container: Container, now: Container | None, again: int) -> Failure:
    condition = "gone" if now is None else f"{now.condition} after {max(now.restarts, again)} restarts"
    said = one_line(now.health_output, 300) if now else ""
    lines = one_line(last_lines(container.id), 1200)
    cause = f"{container.service} is {condition}" + (f"; its check says: {said}" if said else "") + f"; its last lines: {lines or 'none'}"
    return Failure("UNHEALTHY", _STEP, cause, f"correct {container.service} in the suite (or pin the former release), then run again.")
