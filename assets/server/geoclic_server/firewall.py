"""A table of our own in nftables. A rule set that would lock us out undoes itself."""

from pathlib import Path

from .failure import Failure, say
from .process import run

_RULES = Path("/etc/geoclic/firewall.nft")
_PENDING = Path("/run/geoclic-firewall-pending")
_REVERT = "geoclic-firewall-revert"
_REVERT_SECONDS = 90


def rules(ssh_port: int) -> str:
    """Lets in what is answered, loopback, ping, SSH, HTTP and HTTPS, for IPv4 and IPv6; containers reach the host.

    What Docker publishes goes by the forward hook and is not touched.
    """
    return f"""table inet geoclic
delete table inet geoclic
table inet geoclic {{
    chain input {{
        type filter hook input priority filter; policy drop;
        ct state established,related accept
        ct state invalid drop
        iif lo accept
        iifname {{ "docker0", "br-*" }} accept
        meta l4proto {{ icmp, ipv6-icmp }} accept
        udp sport 67 udp dport 68 accept
        udp sport 547 udp dport 546 accept
        tcp dport {{ {", ".join(str(port) for port in sorted({ssh_port, 80, 443}))} }} accept
    }}
}}
"""


def apply(ssh_port: int) -> None:
    """Puts the rules in force unless they are; they vanish after 90 s when nobody comes in to confirm them."""
    wanted = rules(ssh_port)
    in_force = run(["nft", "list", "table", "inet", "geoclic"]).status == 0
    if in_force and _RULES.exists() and _RULES.read_text() == wanted:
        return
    known = run(["nft", "list", "tables"])
    if known.status != 0:
        raise Failure("FIREWALL_FAILED", "base.firewall", f"nftables does not work here: {known.said}",
                      "use a kernel with nf_tables.")
    _RULES.parent.mkdir(parents=True, exist_ok=True)
    checked = run(["nft", "--check", "--file", "-"], stdin=wanted)
    if checked.status != 0:
        raise Failure("FIREWALL_FAILED", "base.firewall", checked.said, "report this: the rules do not fit this nftables.")
    run(["systemctl", "stop", f"{_REVERT}.timer"])
    timer = run(["systemd-run", f"--unit={_REVERT}", f"--on-active={_REVERT_SECONDS}", "--collect", "nft", "delete", "table", "inet", "geoclic"])
    if timer.status != 0:
        raise Failure("FIREWALL_FAILED", "base.firewall", f"no way back could be set: {timer.said}", "look at systemd.")
    _PENDING.touch()
    applied = run(["nft", "--file", "-"], stdin=wanted)
    if applied.status != 0:
        raise Failure("FIREWALL_FAILED", "base.firewall", applied.said, "look at `nft list ruleset`.")
    _RULES.write_text(wanted)
    say("base.firewall", f"in force, undone after {_REVERT_SECONDS} s unless a new connection confirms it")


def confirm() -> None:
    """Keeps the rules: a connection came in under them."""
    if _PENDING.exists():
        run(["systemctl", "stop", f"{_REVERT}.timer"])
        _PENDING.unlink(missing_ok=True)
