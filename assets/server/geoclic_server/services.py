"""Replaces services one by one: the new container beside the old until it is healthy."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from .compose import CONFIG_HASH, compose, config_hashes, containers, health_of, last_lines, service_of
from .failure import Failure
from .process import run

_STEP = "services"
_HEALTHY_SECONDS = 150

Say = Callable[[str, str], None]


def changed(hashes: dict[str, str], found: Sequence[dict[str, Any]]) -> list[str]:
    """Services that have no single running container of their present configuration, in the order of `hashes`."""

    def is_right(service: str, wanted: str) -> bool:
        own = [container for container in found if service_of(container) == service]
        return (
            len(own) == 1
            and own[0]["State"]["Running"]
            and health_of(own[0]) != "unhealthy"
            and own[0]["Config"]["Labels"].get(CONFIG_HASH) == wanted
        )

    return [service for service, wanted in hashes.items() if not is_right(service, wanted)]


def removed(services: Sequence[str], found: Sequence[dict[str, Any]]) -> list[str]:
    """Ids of the project's containers whose service is not in the release any more."""
    return [container["Id"] for container in found if service_of(container) not in services]


def to_change(release: dict[str, Any]) -> list[str]:
    hashes = config_hashes(release)
    ordered = {service: hashes[service] for service in release["services"]}
    return changed(ordered, containers(release["project"]))


class Replacement:
    """Brings a project's services to a release, and knows which ones it touched."""

    def __init__(self, release: dict[str, Any], say: Say) -> None:
        self._release, self._say = release, say
        self._hashes = config_hashes(release)
        self.touched: list[str] = []

    def run(self, names: Sequence[str]) -> None:
        """Raises Failure UNHEALTHY for the first service that does not become healthy; its former container serves on."""
        plain = [name for name in names if not self._is("ingress", name) and not self._is("stateful", name)]
        for name in names:
            if self._is("stateful", name):
                self._recreate(name)
        self._start_missing([name for name in plain if not self._own(name)])
        for name in plain:
            if name in to_change(self._release):
                self._replace(name)
        for name in names:
            if self._is("ingress", name):
                self._recreate(name)
        self._remove_others()

    def _is(self, kind: str, service: str) -> bool:
        return bool(self._release["services"][service][kind])

    def _own(self, service: str) -> list[dict[str, Any]]:
        return [container for container in containers(self._release["project"]) if service_of(container) == service]

    def _up(self, *words: str) -> None:
        end = compose(self._release, "up", "-d", "--no-build", "--no-deps", "--pull", "never", *words)
        if end.status != 0:
            raise Failure("START_FAILED", _STEP, f"{words[-1]}: {end.said}", "look at `docker ps -a` on the server.")

    def _start_missing(self, names: Sequence[str]) -> None:
        """Services without any container start together: nothing of theirs is served yet."""
        if not names:
            return
        began = time.monotonic()
        self.touched += names
        self._up("--no-recreate", *names)
        for name in names:
            for container in self._own(name):
                self._await(name, container["Id"])
        self._say(_STEP, f"{', '.join(names)} started in {time.monotonic() - began:.1f} s")

    def _replace(self, name: str) -> None:
        began = time.monotonic()
        former = self._own(name)
        wanted = self._hashes[name]
        # An interrupted run may have left the new one already, or ended containers that only are in the way.
        for container in former:
            if not container["State"]["Running"]:
                run(["docker", "rm", "-f", container["Id"]])
        former = [container for container in former if container["State"]["Running"]]
        fresh = [c["Id"] for c in former if c["Config"]["Labels"].get(CONFIG_HASH) == wanted and health_of(c) != "unhealthy"]
        old = [container["Id"] for container in former if container["Id"] not in fresh]
        self.touched.append(name)
        if not fresh:
            self._up("--no-recreate", "--scale", f"{name}={len(old) + 1}", name)
            fresh = [container["Id"] for container in self._own(name) if container["Id"] not in old]
        try:
            for container_id in fresh[:1]:
                self._await(name, container_id)
        except Failure:
            for container_id in fresh:
                run(["docker", "rm", "-f", container_id])
            raise
        self._reload_ingress()
        drain = int(self._release["services"][name]["drainSeconds"])
        for container_id in [*old, *fresh[1:]]:
            run(["docker", "stop", "-t", str(drain), container_id], timeout=drain + 60)
            run(["docker", "rm", "-f", container_id])
        self._reload_ingress()
        self._say(_STEP, f"{name} replaced in {time.monotonic() - began:.1f} s")

    def _recreate(self, name: str) -> None:
        """For the one that holds the data and the one that holds the ports: there cannot be two."""
        began = time.monotonic()
        self.touched.append(name)
        self._up(name)
        for container in self._own(name):
            self._await(name, container["Id"])
        self._say(_STEP, f"{name} started in {time.monotonic() - began:.1f} s")

    def _await(self, name: str, container_id: str) -> None:
        end = time.monotonic() + _HEALTHY_SECONDS
        while True:
            found = [c for c in containers(self._release["project"]) if c["Id"] == container_id]
            health = health_of(found[0]) if found else "gone"
            restarts = found[0]["RestartCount"] if found else 0
            if health in ("healthy", "running"):
                return
            is_over = time.monotonic() > end
            if health in ("unhealthy", "exited", "dead", "gone", "restarting") or restarts > 0 or is_over:
                raise Failure("UNHEALTHY", _STEP,
                              f"{name} is {'still ' if is_over else ''}{health} after {restarts} restarts; {last_lines(container_id, 12)}",
                              f"correct {name} in the suite (or pin the former release), then run again.")
            time.sleep(0.3)

    def _reload_ingress(self) -> None:
        """An ingress with fixed upstreams resolves them only when it loads."""
        tls = self._release["adapter"]["tls"]
        for container in self._own(tls["service"]):
            if container["State"]["Running"]:
                run(["docker", "exec", container["Id"], *tls["reload"]])

    def _remove_others(self) -> None:
        for container_id in removed(list(self._release["services"]), containers(self._release["project"])):
            run(["docker", "stop", "-t", "30", container_id], timeout=90)
            run(["docker", "rm", "-f", container_id])
            self._say(_STEP, f"{container_id[:12]} removed: its service is not in the release")
