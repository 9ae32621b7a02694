"""How an nginx learns the addresses of the services behind it, read from its configuration. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address

from .nginx_text import Directive, Unreadable, directives

_QUICKLY = 10.0
_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_PASSES = {"proxy_pass", "grpc_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "memcached_pass"}
# Programs inside nginx may ask whom they like.
_PROGRAM = re.compile(r"_by_lua|^(js|perl)_|^perl$")


class Learning(Enum):
    WHILE_RUNNING = "asks for names again every few seconds"
    AT_LOAD = "knows the addresses of its last load"
    UNCLEAR = "keeps addresses or connections for long: only a reload is sure"


@dataclass(frozen=True)
class Knowledge:
    learning: Learning
    validity: float
    """Seconds for which a resolved address is used; infinity when nobody says."""


def knowledge(files: Mapping[str, str], version: Callable[[], str]) -> Knowledge:
    """`files`: the ingress's configuration, as `nginx_text.directives` takes it; `version`: asks for `nginx -v`'s line.

    What cannot be read is unclear."""
    try:
        found = directives(files)
    except Unreadable:
        return Knowledge(Learning.UNCLEAR, float("inf"))
    longest = validity(found)
    return Knowledge(_learning(found, longest, version), longest)


def _learning(found: Sequence[Directive], longest: float, version: Callable[[], str]) -> Learning:
    blocks = [each for each in found if each.name == "upstream" and any(map(_is_named, _servers(each)))]
    targets = [" ".join(each.arguments) for each in found if each.name in _PASSES]
    # With a variable anywhere in it, nginx looks the name up at each request (ngx_http_proxy_eval).
    is_variable = any("$" in target for target in targets)
    is_fixed = bool(blocks) or any("$" not in target and _is_named(target) for target in targets)
    is_unclear = any(_PROGRAM.search(each.name) for each in found) or any(_is_unclear(block, version) for block in blocks)
    if is_unclear or is_fixed == is_variable:
        return Learning.UNCLEAR
    if is_fixed:
        return Learning.AT_LOAD
    return Learning.WHILE_RUNNING if longest <= _QUICKLY else Learning.UNCLEAR


def _is_unclear(block: Directive, version: Callable[[], str]) -> bool:
    """Connections that nginx keeps carry requests that no address decides about."""
    if any("resolve" in each.arguments for each in block.block if each.name == "server"):
        return True
    kept = [each.arguments[:1] for each in block.block if each.name == "keepalive"]
    return kept != [("0",)] if kept else _keeps_unasked(version())


def _keeps_unasked(version: str) -> bool:
    """Since 1.29.7 a block keeps connections unless it says `keepalive 0` (nginx's CHANGES). Of an unknown version as well."""
    found = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", version)
    return found is None or tuple(map(int, found.groups())) >= (1, 29, 7)


def _servers(block: Directive) -> list[str]:
    return [each.arguments[0] for each in block.block if each.name == "server" and each.arguments]


def _is_named(target: str) -> bool:
    """A name, which somebody must look up; no address, no socket."""
    place = re.sub(r"^[a-z0-9+.-]+://", "", target)
    if place.startswith("unix:"):
        return False
    host = re.sub(r":\d+$", "", place.split("/")[0]).strip("[]")
    try:
        ip_address(host)
        return False
    except ValueError:
        return host != "localhost"


def validity(found: Iterable[Directive]) -> float:
    """The longest of all resolvers'; what the DNS answer says counts as for ever, since Docker's says ten minutes."""
    said = [
        next((argument[len("valid="):] for argument in each.arguments if argument.startswith("valid=")), None)
        for each in found if each.name == "resolver"
    ]
    return max((_seconds(value) for value in said), default=float("inf"))


def _seconds(value: str | None) -> float:
    """nginx's times: `30`, `500ms`, `1m30s`, `1h 30m`."""
    if value is None or not re.fullmatch(r"(\d+(ms|[smhdw])\s*)*\d+(ms|[smhdw]|)", value):
        return float("inf")
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdw]|)", value))
