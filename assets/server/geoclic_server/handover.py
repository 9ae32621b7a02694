"""The ingress's place is kept while it is exchanged: a second one without its ports takes the new connections.

The server's own address translation, before Docker's, leads what comes from outside to it. Connections that exist stay where
they are until that ingress stops. Not covered: connections from this server to its own loopback, and IPv6, both of which
Docker's proxy carries; they are refused while nobody holds the ports, about a second.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from . import lifecycle
from .compose import Container, Release, compose, configuration, containers, find_container
from .failure import Failure, one_line
from .process import run

_NAME = "geoclic-handover"
_TABLE = ("ip", "geoclic_handover")
_STEP = "services"
_YOUNG_SECONDS = 2.0
"""An ingress that ends resets connections that it has not accepted yet, or whose handshake goes on: they get this long."""
_QUIET_SECONDS = 5.0
"""For a moment without requests, in which it closes the connections that browsers keep."""


def rules(address: str, ports: Mapping[int, int]) -> str:
    """nftables' text; `ports`: on this server → of the container."""
    name = " ".join(_TABLE)
    leads = [f"tcp dport {outside} dnat to {address}:{inside}" for outside, inside in sorted(ports.items())]
    return "\n".join([
        f"table {name}", f"delete table {name}", f"table {name} {{",
        "    chain prerouting {", "        type nat hook prerouting priority -110;",
        # Containers that ask for the server's public address need Docker's own way back.
        *(f'        iifname != "docker0" iifname != "br-*" fib daddr type local {lead}' for lead in leads), "    }",
        "    chain output {", "        type nat hook output priority -110;",
        *(f"        ip daddr != 127.0.0.0/8 fib daddr type local {lead}" for lead in leads), "    }", "}", "",
    ])


def published(described: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """From Compose's `ports`: on this server → of the container, TCP alone."""
    return {int(port["published"]): int(port["target"]) for port in described if port.get("published") and port.get("protocol", "tcp") == "tcp"}


@contextmanager
def keeping_place(release: Release, service: str) -> Iterator[None]:
    """A second ingress, made of the release, answers meanwhile. Raises Failure when it is not healthy; nothing has changed then."""
    _end(release, service)
    try:
        second = _begin(release, service)
        put = run(["nft", "-f", "-"], stdin=rules(second.addresses[0][1], _ports(release, service)))
        if put.status != 0:
            raise Failure("HANDOVER_FAILED", _STEP, f"{service}: {one_line(put.said, 300)}", "look at `nft list ruleset` on the server.")
        time.sleep(_YOUNG_SECONDS)
        for former in containers(release["project"]):
            if former.service == service and former.is_running:
                lifecycle.await_quiet(former, _QUIET_SECONDS)
        yield
    finally:
        _end(release, service)


def settle(release: Release) -> None:
    """What an interrupted run left: gone, once an ingress of the suite has the ports again."""
    service = release["adapter"]["ingress"]["service"]
    is_left = find_container(_NAME) is not None or run(["nft", "list", "table", *_TABLE]).status == 0
    if not is_left:
        return
    own = [one for one in containers(release["project"]) if one.service == service]
    if own and not any(one.is_running for one in own):
        # One that nobody has proven is no reason to forget the one that was.
        newest = max(own, key=lambda one: (lifecycle.is_proven(one), one.started))
        lifecycle.start(newest)
        lifecycle.await_healthy(newest)
    _end(release, service)


def _begin(release: Release, service: str) -> Container:
    # Published on the loopback only, on any port: Docker lets in what leads to it then.
    publish = [word for inside in _ports(release, service).values() for word in ("--publish", f"127.0.0.1::{inside}")]
    made = compose(release, "run", "-d", "--no-deps", *publish, "--name", _NAME, service, timeout=60)
    second = find_container(_NAME)
    if made.status != 0 or second is None:
        raise Failure("START_FAILED", _STEP, f"{service}: {one_line(made.stderr, 400)}", "look at `docker ps -a` on the server.")
    lifecycle.await_healthy(second)
    return second


def _end(release: Release, service: str) -> None:
    run(["nft", "delete", "table", *_TABLE])
    second = find_container(_NAME)
    if second:
        time.sleep(_YOUNG_SECONDS)
        lifecycle.await_quiet(second, _QUIET_SECONDS)
        lifecycle.stop(int(release["services"][service]["drainSeconds"]), second)
        lifecycle.remove(second)


def _ports(release: Release, service: str) -> dict[int, int]:
    return published(configuration(release)["services"][service].get("ports", []))
