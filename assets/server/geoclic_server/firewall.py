"""A table of our own in nftables. A rule set that would lock us out undoes itself.

New rules are pending until an SSH connection came in under them; only then do they last over a reboot.
"""

import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

from .failure import Failure, say
from .layout import write
from .process import Result, run

_FOLDER = Path("/etc/geoclic")
_RULES = _FOLDER / "firewall.nft"
_PENDING = Path("/run/geoclic-firewall.nft")
_SSHD_FOLDER = Path("/run/sshd")
_TABLE = ("inet", "geoclic")
_UNIT = "geoclic-firewall.service"
_REVERT = "geoclic-firewall-revert"
_REVERT_SECONDS = 90
_STEP = "base.firewall"


def rules(ssh_ports: Sequence[int]) -> str:
    """Lets in what is answered, loopback, ping, SSH, HTTP and HTTPS, for IPv4 and IPv6; containers reach the host.

    What Docker publishes goes by the forward hook and is not touched.
    """
    ports = ", ".join(str(port) for port in sorted({*ssh_ports, 80, 443}))
    return f"""table {' '.join(_TABLE)}
delete table {' '.join(_TABLE)}
table {' '.join(_TABLE)} {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iif lo accept
        iifname "docker0" accept
        iifname "br-*" accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
        udp sport 67 udp dport 68 accept
        udp sport 547 udp dport 546 accept
        tcp dport {{ {ports} }} accept
    }}
}}
"""


def is_there() -> bool:
    return run(["nft", "list", "table", *_TABLE]).status == 0


def is_in_force(ssh_port: int) -> bool:
    """Whether the kernel has our rules and no other in our table."""
    shown = run(["nft", "list", "table", *_TABLE])
    return shown.status == 0 and shown.stdout == _in_kernels_words(wanted_rules(ssh_port))


def wanted_rules(ssh_port: int) -> str:
    return rules([ssh_port, *_listening_ports()])


def _in_kernels_words(text: str) -> str:
    """nft itself says how rules look when they are in force, in a network of nobody's. Raises Failure FIREWALL_FAILED."""
    shown = run(["unshare", "--net", "sh", "-c", f"nft --file - && nft list table {' '.join(_TABLE)}"], stdin=text)
    _need(shown, "look at nftables on the server.")
    return shown.stdout


def put_back() -> str | None:
    """Confirmed rules that somebody took away or changed are in force again. Why not, where they are not; None: all is well.

    Raises Failure FIREWALL_FAILED.
    """
    if _pending():
        return None
    if not _RULES.exists():
        return None if is_there() else "there are no confirmed rules: run `pulumi up`"
    confirmed = _RULES.read_text()
    shown = run(["nft", "list", "table", *_TABLE])
    if shown.status == 0 and shown.stdout == _in_kernels_words(confirmed):
        return None
    locked_out = sorted(set(_listening_ports()) - read_ports(confirmed))
    if locked_out:
        return f"sshd listens on port {', '.join(map(str, locked_out))}, which the confirmed rules do not let in: run `pulumi up`"
    _need(run(["nft", "--file", str(_RULES)]), "look at `nft list ruleset` on the server.")
    run(["systemctl", "start", _UNIT])
    say(_STEP, "the confirmed rules are in force again")
    return None


def read_ports(rules_text: str) -> set[int]:
    """TCP ports that rules of ours let in."""
    return {int(port) for found in re.findall(r"tcp dport \{ ([\d, ]+) \}", rules_text) for port in found.split(", ")}


def apply(ssh_port: int) -> None:
    """Puts the rules in force unless they are; without a confirmation within 90 s the former ones come back."""
    known = run(["nft", "list", "tables"])
    if known.status != 0:
        raise _failure(f"nftables does not work here: {known.said}", "use a kernel with nf_tables (VPSes of KVM have one).")
    wanted = wanted_rules(ssh_port)
    pending = _pending()
    if is_in_force(ssh_port) and wanted in (pending[1] if pending else None, _RULES.read_text() if _RULES.exists() else None):
        return
    _need(run(["nft", "--check", "--file", "-"], stdin=wanted), "report this: the rules do not fit this nftables.")
    _stop_revert()
    program = os.path.realpath(Path(__file__).parent.parent / "run.py")
    # A service that waits and no timer: a timer begins anew with each reload of systemd.
    _need(run(["systemd-run", "--quiet", f"--unit={_REVERT}", "--collect", "python3", "-X", "utf8", "-B", program, "firewall", "revert",
               "--client", "server", "--after", str(_REVERT_SECONDS)]), "look at systemd on the server.")
    write(_PENDING, f"# {time.clock_gettime(time.CLOCK_BOOTTIME)}\n{wanted}", 0o600)
    _need(run(["nft", "--file", "-"], stdin=wanted), "look at `nft list ruleset` on the server.")
    say(_STEP, f"in force; undone after {_REVERT_SECONDS} s unless a new SSH connection confirms it")


def confirm() -> None:
    """Keeps pending rules when this command came by an SSH connection that was made under them."""
    pending = _pending()
    connected = _connected_at() if pending else None
    if pending is None or connected is None or connected <= pending[0]:
        return
    _FOLDER.mkdir(exist_ok=True)
    # From here on the boot unit finds them.
    write(_RULES, pending[1], 0o600)
    _PENDING.unlink(missing_ok=True)
    _stop_revert()
    # Active, it follows the distribution's own whenever that one reads its rules anew.
    run(["systemctl", "start", _UNIT])


def revert(seconds: int) -> None:
    """Waits, then goes back to the confirmed rules, or to none; nothing to do when the pending ones were confirmed meanwhile."""
    time.sleep(seconds)
    if not _PENDING.exists():
        return
    _PENDING.unlink()
    if _RULES.exists():
        run(["nft", "--file", str(_RULES)])
    else:
        run(["nft", "delete", "table", *_TABLE])
    say(_STEP, "undone: nobody came in under the new rules")


def _stop_revert() -> None:
    run(["systemctl", "stop", f"{_REVERT}.service"])


def _listening_ports() -> list[int]:
    """Ports of sshd itself: the stack file may name one that somebody forwards."""
    configured = run(["sshd", "-T"])
    if configured.status != 0 and not _SSHD_FOLDER.exists():
        # It is missing while a socket waits for the first connection, and sshd tells nothing without it.
        _SSHD_FOLDER.mkdir(mode=0o755)
        configured = run(["sshd", "-T"])
    return ssh_ports(configured.stdout, run(["systemctl", "show", "--property=ActiveState,Listen", "ssh.socket"]).stdout)


def ssh_ports(configured: str, socket: str) -> list[int]:
    """From `sshd -T`, and from systemd's socket where that one listens instead."""
    ports = {int(line.split()[1]) for line in configured.splitlines() if line.startswith("port ")}
    if re.search(r"^ActiveState=active$", socket, re.MULTILINE):
        ports |= {int(port) for port in re.findall(r"^Listen=(?:\S*:)?(\d+) \(Stream\)$", socket, re.MULTILINE)}
    return sorted(ports)


def _connected_at() -> float | None:
    """When the SSH connection began that this process belongs to, in seconds after boot; None when it belongs to none.

    A shared connection has one process for all its commands, so it counts from its own beginning.
    """
    process = os.getpid()
    while process > 1:
        name, process, began = read_stat(Path(f"/proc/{process}/stat").read_text())
        if name.startswith("sshd"):
            return began
    return None


def read_stat(text: str) -> tuple[str, int, float]:
    """Name, parent and start (seconds after boot) of a process, from /proc/PID/stat."""
    name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
    return name, int(rest[1]), int(rest[19]) / os.sysconf("SC_CLK_TCK")


def _pending() -> tuple[float, str] | None:
    """When the rules came into force that nobody has confirmed yet, in seconds after boot, and the rules."""
    try:
        since, _, text = _PENDING.read_text().partition("\n")
    except FileNotFoundError:
        return None
    return float(since.removeprefix("# ")), text


def _need(result: Result, action: str) -> None:
    if result.status != 0:
        raise _failure(result.said, action)


def _failure(cause: str, action: str) -> Failure:
    return Failure("FIREWALL_FAILED", _STEP, cause, action)
