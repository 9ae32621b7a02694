"""Where the ingress's connections to a service lead: address translation in the ingress's own network.

A connection that exists goes on; a new one leads to the container that shall serve, whatever address the ingress knows,
without a reload, which would close connections that browsers keep. The rules end with the ingress's container, whose
successor learns the addresses of then.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import layout, predecessor
from .compose import Container, containers, find_container
from .lifecycle import inside, is_quiet
from .process import Result, run
from .upstreams import Learning, knowledge

_TABLE = ("ip", "geoclic_detour")
_MAP = "leads"
_CLOCK_SECONDS = 1.2
"""nginx counts whole seconds: an address is used for up to one more than configured."""
_WORKERS_SECONDS = 60

Leads = Mapping[str, str]
"""Address that the ingress knows → address that a connection to it leads to."""


@dataclass(frozen=True)
class Hold:
    """What nobody knows yet in a network is the container that just starts: it leads to the one that serves."""

    subnet: str
    known: tuple[str, ...]
    serving: str


def switched(leads: Leads, former: str, fresh: str) -> dict[str, str]:
    """What led to `former` leads to `fresh`. An address that was another service's when the ingress loaded stays that service's."""
    return {known: fresh if leads_to == former else leads_to for known, leads_to in leads.items()}


def table(leads: Leads, hold: Hold | None = None) -> str:
    """nftables' text, put in force at once and whole."""
    name = " ".join(_TABLE)
    elements = ", ".join(f"{known} : {leads_to}" for known, leads_to in sorted(leads.items()))
    lines = [
        f"table {name}", f"delete table {name}", f"table {name} {{",
        f"    map {_MAP} {{ type ipv4_addr : ipv4_addr; {f'elements = {{ {elements} }};' if elements else ''} }}",
        "    chain output {", "        type nat hook output priority -150;",
        f"        meta l4proto tcp dnat to ip daddr map @{_MAP}",
    ]
    if hold:
        lines.append(f"        meta l4proto tcp ip daddr {hold.subnet} ip daddr != {{ {', '.join(sorted(hold.known))} }} dnat to {hold.serving}")
    return "\n".join([*lines, "    }", "}", ""])


def read_leads(listed: str) -> dict[str, str] | None:
    """From `nft -j list map`; None when there is none."""
    try:
        found = next(entry["map"] for entry in json.loads(listed)["nftables"] if "map" in entry)
    except (ValueError, KeyError, StopIteration):
        return None
    return {str(known): str(leads_to) for known, leads_to in found.get("elem", [])}


class Detours:
    """Of the running ingress, while one service is exchanged."""

    def __init__(self, release: Mapping[str, Any]) -> None:
        self._tls = release["adapter"]["tls"]
        found = containers(release["project"])
        running = [one for one in found if one.service == self._tls["service"] and one.is_running]
        self._ingress = running[-1] if running else None
        self._leads: dict[str, str] = {}
        if self._ingress:
            known = knowledge(configurations(self._ingress), self._version)
            self._learning, self._validity = known.learning, known.validity
            # An ingress that asks again knows the present addresses, whatever an interrupted run left.
            kept = self._present() if self._learning is Learning.AT_LOAD else None
            self._leads = kept or {address: address for one in found for address in self._addresses(one)}

    @property
    def is_left(self) -> bool:
        return self._ingress is not None and self._present() is not None

    def hold(self, serving: Container, fresh: Container) -> None:
        """Before `fresh` starts: nothing reaches it until it is healthy."""
        place = self._place(serving)
        if place is None:
            return
        network, address = place
        early = self._addresses(fresh)
        for each in early:
            self._leads = switched(self._leads, each, address)
        self._put(_hold(network, address, early))

    def lead(self, serving: Sequence[Container], fresh: Container) -> None:
        """Every new connection leads to `fresh`, at once."""
        place = self._place(fresh)
        if place is None:
            return
        self._leads.setdefault(place[1], place[1])
        for container in serving:
            for address in self._addresses(container):
                self._leads.setdefault(address, address)
                self._leads = switched(self._leads, address, place[1])
        self._put()
        if self._learning is Learning.UNCLEAR:
            self._reload()

    def settle(self) -> None:
        """Once the former one is stopped, before anybody may get its address."""
        if self._ingress is None:
            return
        if self._learning is Learning.AT_LOAD:
            self._put()
            return
        if self._learning is Learning.UNCLEAR:
            self._reload()
        else:
            time.sleep(self._validity + _CLOCK_SECONDS)
        self.forget()

    def consolidate(self) -> bool:
        """An ingress that knows former addresses learns the present ones, when no browser is about to ask. False: not now."""
        if self._ingress is None or self._present() is None:
            return True
        if self._learning is not Learning.WHILE_RUNNING:
            if not is_quiet(self._ingress):
                return False
            self._reload()
        self.forget()
        return True

    def relearn(self) -> None:
        if self._ingress is not None:
            self._reload()
            self.forget()

    def _version(self) -> str:
        return run(["docker", "exec", self._ingress.id, self._tls["test"][0], "-v"], timeout=20).said if self._ingress else ""

    def _put(self, hold: Hold | None = None) -> None:
        if self._nft("-f", "-", stdin=table(self._leads, hold)).status != 0:
            # Without rules the ingress must be told.
            self._learning = Learning.UNCLEAR

    def forget(self) -> None:
        """The ingress knows the present addresses."""
        self._nft("delete", "table", *_TABLE)

    def _present(self) -> dict[str, str] | None:
        return read_leads(self._nft("-j", "list", "map", *_TABLE, _MAP).stdout)

    def _reload(self) -> None:
        """Returns when no worker is left that knows the former addresses."""
        if self._ingress is None or run(["docker", "exec", self._ingress.id, *self._tls["test"]]).status != 0:
            return
        run(["docker", "exec", self._ingress.id, *self._tls["reload"]])
        # New workers take over a moment after the command.
        time.sleep(1)
        end = time.monotonic() + _WORKERS_SECONDS
        while "shutting down" in run(["docker", "top", self._ingress.id]).stdout and time.monotonic() < end:
            time.sleep(0.3)

    def _place(self, container: Container) -> tuple[str, str] | None:
        """A network that the ingress and a container share, and the container's address there."""
        now = find_container(container.id)
        if self._ingress is None or now is None:
            return None
        return next(((network, address) for network, address in now.addresses if network in dict(self._ingress.addresses)), None)

    def _addresses(self, container: Container) -> list[str]:
        now = find_container(container.id)
        return [address for network, address in (now.addresses if now else ()) if self._ingress and network in dict(self._ingress.addresses)]

    def _nft(self, *words: str, stdin: str | None = None) -> Result:
        return self._inside("nft", *words, stdin=stdin)

    def _inside(self, *words: str, stdin: str | None = None) -> Result:
        """A program of the server, in the ingress's network."""
        return inside(self._ingress, *words, stdin=stdin) if self._ingress else Result(127, "", "no ingress runs")


def consolidate(release: Mapping[str, Any]) -> None:
    Detours(release).consolidate()


def relearn(release: Mapping[str, Any]) -> None:
    """The ingress learns the present addresses at once: nobody is served by it, or everything behind it was just started."""
    Detours(release).relearn()


def is_left(release: Mapping[str, Any]) -> bool:
    """Whether the ingress still knows former addresses."""
    return Detours(release).is_left


def forget(release: Mapping[str, Any]) -> None:
    """After a reload by somebody else."""
    Detours(release).forget()


def _hold(network: str, serving: str, unknown: Sequence[str]) -> Hold | None:
    inspected = json.loads(run(["docker", "network", "inspect", network]).stdout or "[]")
    settings = [each for one in inspected for each in one["IPAM"]["Config"] if ":" not in each["Subnet"]]
    if not settings:
        return None
    members = [one["IPv4Address"].split("/")[0] for one in inspected[0]["Containers"].values()]
    known = {*members, settings[0].get("Gateway", serving), serving} - set(unknown)
    return Hold(settings[0]["Subnet"], tuple(known), serving)


def configurations(container: Container) -> dict[str, str]:
    """What `upstreams.knowledge` takes: ours by content, or the predecessor's in its folder, whatever the files' names."""
    found: dict[str, str] = {}
    for source, target in zip(map(Path, container.mounts), container.targets):
        if not source.is_relative_to(layout.BINDS) and not source.is_relative_to(predecessor.CONFIGURATION):
            continue
        if source.is_dir():
            found[f"{target}/"] = ""
        for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if file.is_file():
                found[str(Path(target, file.relative_to(source)))] = file.read_text(errors="replace")
    return found
