"""How an nginx learns the addresses of the services behind it, read from its configuration. Pure."""

import re
from collections.abc import Sequence
from enum import Enum

_QUICKLY = 10.0
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}
_PASS = re.compile(r"^\s*(?:proxy|grpc|fastcgi|uwsgi|scgi)_pass\s+(?:\w+://)?([^\s;]+)", re.MULTILINE)


class Learning(Enum):
    WHILE_RUNNING = "asks for names again every few seconds"
    AT_LOAD = "knows the addresses of its last load"
    UNCLEAR = "keeps addresses or connections for long: only a reload is sure"


def learning(configurations: Sequence[str]) -> Learning:
    text = "\n".join(line.split("#")[0] for configuration in configurations for line in configuration.splitlines())
    named = [found.split("/")[0] for found in _PASS.findall(text)]
    is_fixed = any("$" not in name for name in named) or re.search(r"^\s*upstream\s", text, re.MULTILINE) is not None
    is_variable = any("$" in name for name in named)
    # Connections that it keeps to a service carry requests that no address decides about.
    is_keeping = re.search(r"^\s*keepalive\s+[1-9]", text, re.MULTILINE) is not None
    if is_keeping or is_fixed == is_variable:
        return Learning.UNCLEAR
    if is_fixed:
        return Learning.AT_LOAD
    return Learning.WHILE_RUNNING if validity(text) <= _QUICKLY else Learning.UNCLEAR


def validity(text: str) -> float:
    """Seconds for which a resolved address is used; infinity when nobody says."""
    found = re.search(r"^\s*resolver\s[^;]*\bvalid=(\d+)(ms|s|m|h|d|)\b", text, re.MULTILINE)
    return int(found[1]) * _UNITS[found[2]] if found else float("inf")
