"""The pair of certificate and key that the ingress reads, and what it serves of it.

Both are files of one folder, `pairs/NAME`, that the link `live` leads to; the two names that the ingress reads lead through
that link. One rename exchanges the pair, also inside a container that mounts the folder; no half pair is ever there.
"""

import fcntl
import hashlib
import os
import shutil
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import detour, layout
from .compose import containers
from .failure import Failure, say
from .lock import operation
from .process import run

CHAIN = layout.TLS / "fullchain.pem"
KEY = layout.TLS / "privkey.pem"
_PAIRS = layout.TLS / "pairs"
_LIVE = layout.TLS / "live"
_SHOWN_SECONDS = 10
_STEP = "certificate"


def place(chain: bytes, key: bytes) -> bool:
    """Puts a pair where the ingress reads it, unless it is there; whether it is another one. Raises Failure CERTIFICATE_BROKEN."""
    with _alone():
        former = _content(CHAIN), _content(KEY)
        wanted = _keep(chain, key)
        if not _are_linked():
            # What is there moves into a folder of its own first: its names may become links one by one then.
            if None not in former and _fits(CHAIN, KEY):
                _lead_to(_keep(former[0] or b"", former[1] or b""))
            elif not _LIVE.exists():
                _lead_to(wanted)
            for name in (CHAIN, KEY):
                layout.switch(name, Path(_LIVE.name) / name.name)
        before = os.path.basename(os.path.realpath(_LIVE))
        _lead_to(wanted)
        for old in _PAIRS.iterdir():
            if old.name not in (wanted, before):
                shutil.rmtree(old)
        return former != (chain, key)


def serve(domain: str, chain: bytes, key: bytes, wait_seconds: int) -> None:
    """Places a pair and proves that the ingress serves it, which is told to read it where it does not.

    Nothing is told while another operation goes on, which may keep a new container from being reached until a reload.
    Raises Failure BUSY after `wait_seconds`, INGRESS_REFUSES or CERTIFICATE_NOT_SERVED.
    """
    is_new = place(chain, key)
    wanted = ssl.PEM_cert_to_DER_cert(_leaf(chain))
    if _ingress() is None:
        say(_STEP, "copied; the ingress does not run yet" if is_new else "nothing to copy")
        return
    if not is_new and shown(domain) == wanted:
        return
    with operation("reload of the certificate", wait_seconds, lambda who: say(_STEP, f"copied; the ingress reads it when {who} has ended")):
        ingress = _ingress()
        if ingress is None:
            return
        _reload(*ingress)
        end = time.monotonic() + _SHOWN_SECONDS
        while shown(domain) != wanted:
            if time.monotonic() > end:
                raise Failure("CERTIFICATE_NOT_SERVED", _STEP, f"{domain} does not serve {facts(chain)['serial']} {_SHOWN_SECONDS} s after the reload",
                              "look at the ingress on the server.")
            time.sleep(0.2)
    say(_STEP, f"{domain} serves {facts(chain)['serial']}")


def shown(domain: str) -> bytes | None:
    """The certificate that port 443 of this server shows for a name, DER; None where nobody answers."""
    context = ssl.create_default_context()
    context.check_hostname = False
    # It is compared as a whole with the one wanted; from outside it is verified.
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", 443), timeout=3) as plain, \
                context.wrap_socket(plain, server_hostname=domain) as secured:
            return secured.getpeercert(binary_form=True)
    except OSError:
        return None


def shown_facts(domain: str) -> dict[str, Any] | None:
    served = shown(domain)
    return facts(ssl.DER_cert_to_PEM_cert(served).encode()) if served else None


def placed_facts() -> dict[str, Any] | None:
    chain = _content(CHAIN)
    return facts(chain) if chain else None


def known_facts() -> dict[str, Any] | None:
    """Of what the town serves; of the file where nobody answers."""
    domain = (layout.read_json(layout.STATUS) or {}).get("domain")
    return (shown_facts(domain) if domain else None) or placed_facts()


def facts(pem: bytes) -> dict[str, Any]:
    """{serial, issuer, notAfter, daysLeft}. Raises Failure CERTIFICATE_UNREADABLE."""
    shown_by = run(["openssl", "x509", "-noout", "-serial", "-enddate", "-issuer", "-dateopt", "iso_8601"], stdin=pem)
    if shown_by.status != 0:
        shown_by = run(["openssl", "x509", "-noout", "-serial", "-enddate", "-issuer"], stdin=pem)
    values = dict(line.split("=", 1) for line in shown_by.stdout.splitlines() if "=" in line)
    end = read_date(values.get("notAfter", ""))
    left = (end - datetime.now(timezone.utc)).total_seconds() / 86_400
    return {"serial": values.get("serial", ""), "issuer": values.get("issuer", ""), "notAfter": end.isoformat(),
            "daysLeft": round(left, 1)}


def read_date(text: str) -> datetime:
    """OpenSSL 3's ISO form, or the older `Mar 15 12:00:00 2027 GMT`."""
    for form in ("%Y-%m-%d %H:%M:%SZ", "%b %d %H:%M:%S %Y %Z"):
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    raise Failure("CERTIFICATE_UNREADABLE", _STEP, f"its end is {text!r}", "look at the certificate with openssl.")


def _reload(container: str, release: dict[str, Any]) -> None:
    tls = release["adapter"]["tls"]
    for words in (tls["test"], tls["reload"]):
        ended = run(["docker", "exec", container, *words])
        if ended.status != 0:
            raise Failure("INGRESS_REFUSES", _STEP, f"{' '.join(words)}: {ended.said}", "correct the suite's ingress configuration, then run again.")
    detour.forget(release)


def _ingress() -> tuple[str, dict[str, Any]] | None:
    """The running ingress's container and the release."""
    release = layout.running_release()
    if release is None:
        return None
    described = layout.read_release(release)
    service = described["adapter"]["tls"]["service"]
    running = [one.id for one in containers(described["project"]) if one.service == service and one.is_running]
    return (running[-1], described) if running else None


def _keep(chain: bytes, key: bytes) -> str:
    """A folder with the pair; its name stands for its content."""
    name = hashlib.sha256(chain + b"\0" + key).hexdigest()[:16]
    folder, partial = _PAIRS / name, _PAIRS / f".{name}"
    _PAIRS.mkdir(mode=0o755, exist_ok=True)
    if (_content(folder / CHAIN.name), _content(folder / KEY.name)) == (chain, key):
        return name
    for left in (partial, folder):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(mode=0o755)
    layout.write(partial / KEY.name, key, 0o600)
    layout.write(partial / CHAIN.name, chain)
    if not _fits(partial / CHAIN.name, partial / KEY.name):
        shutil.rmtree(partial)
        raise Failure("CERTIFICATE_BROKEN", _STEP, "the key does not fit the certificate, or one of them cannot be read", "look at `certbot certificates` on the server, then run again.")
    layout.publish(partial, folder)
    return name


def _lead_to(pair: str) -> None:
    target = Path(_PAIRS.name) / pair
    if not _LIVE.is_symlink() or os.readlink(_LIVE) != str(target):
        layout.switch(_LIVE, target)


def _are_linked() -> bool:
    return all(name.is_symlink() and os.readlink(name) == f"{_LIVE.name}/{name.name}" for name in (CHAIN, KEY))


def _fits(chain: Path, key: Path) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def _alone() -> Iterator[None]:
    """Certbot's hook and the monitor may come at the same time."""
    descriptor = os.open(layout.TLS, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _leaf(chain: bytes) -> str:
    end = "-----END CERTIFICATE-----"
    return chain.decode().split(end)[0] + end + "\n"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
