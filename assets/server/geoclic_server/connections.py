"""Connections as the kernel tells them. Pure."""

import re
from collections.abc import Iterator

_ESTABLISHED, _LISTEN = "01", "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def inbound(table: str) -> int:
    """Established connections of others to the ports that are listened on; `table`: /proc/PID/net/tcp and tcp6."""
    rows = list(_rows(table))
    ports = {port for port, _, state in rows if state == _LISTEN}
    return sum(state == _ESTABLISHED and port in ports and remote not in _LOOPBACK for port, remote, state in rows)


def _rows(table: str) -> Iterator[tuple[str, str, str]]:
    """Local port, remote address, state."""
    for match in re.finditer(r"^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):[0-9A-F]{4} ([0-9A-F]{2}) ", table, re.MULTILINE):
        yield match[1], match[2], match[3]


def quiet_seconds(listed: str) -> float:
    """For how long nothing came in on any of the connections that `ss -tinHO` lists, one a line; infinity without one."""
    # ss leaves out what is zero: something came just now.
    found = (re.search(r"\blastrcv:(\d+)", line) for line in listed.splitlines() if line.strip())
    return min((int(match[1]) / 1000 if match else 0.0 for match in found), default=float("inf"))
