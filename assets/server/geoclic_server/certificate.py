"""The certificate of the town: asked for and renewed by webroot, copied, tested and proven to be served."""

import argparse
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import time
import urllib.request
from datetime import datetime, timezone
from http.client import HTTPException
from pathlib import Path
from typing import Any

from . import acme, detour, layout, predecessor, systemd
from . import command as frame
from .compose import containers
from .failure import Failure, say
from .process import Result, run

_LIVE = Path("/etc/letsencrypt/live")
_RENEWAL = Path("/etc/letsencrypt/renewal")
_ACCOUNTS = Path("/etc/letsencrypt/accounts")
_HOOK = Path("/etc/letsencrypt/renewal-hooks/deploy/geoclic")
_LISTENER = "geoclic-acme-listener"
_CHALLENGE = ".well-known/acme-challenge"
_PROBE = "geoclic-probe-"
_ENOUGH_DAYS = 30
_STEP = "certificate"


def command() -> None:
    frame.main("certificate", _options, _work)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=["prepare", "issue", "deploy", "status"])
    parser.add_argument("--domain", required=True)
    parser.add_argument("--email")
    parser.add_argument("--server", help="ACME directory")
    parser.add_argument("--days", type=int, default=_ENOUGH_DAYS, help="a certificate that ends earlier is renewed")
    parser.add_argument("--json", action="store_true", help="the only form that status has")


def _work(options: frame.Options) -> None:
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", options.domain):
        raise Failure("INPUT_INVALID", _STEP, f"--domain is {options.domain!r}", "give a host name in lower case.")
    match options.verb:
        case "prepare":
            print(json.dumps(prepare()))
        case "issue":
            issue(options.client, options.domain, options.email, options.server, options.days)
        case "deploy":
            deploy(options.domain)
        case "status":
            print(json.dumps(status(options.domain, options.server, options.days)))


def prepare() -> dict[str, str]:
    """Makes sure that somebody serves the webroot on port 80, and leaves a token there to be read from outside."""
    folder = _place_challenges()
    path, token = _leave_probe(folder)
    if _shown(path) != token:
        _start_listener(folder)
        if _shown(path) != token:
            raise Failure("PORT80_TAKEN", _STEP, f"port 80 of this server is held by {_holder_of_port_80()}, which does not show {layout.ACME}",
                          "stop that program (or let it be nginx of the suite), then run again.")
    return {"token": token, "path": path}


def prove_webroot() -> None:
    """Raises Failure RENEWAL_UNFIT unless port 80 shows what certbot would leave in the webroot."""
    try:
        path, token = _leave_probe(own_challenges())
        if _shown(path) != token:
            raise Failure("RENEWAL_UNFIT", _STEP, f"port 80 of this server does not show {layout.ACME}", "look at the ingress on the server, then run again.")
    finally:
        _forget_probes()


def own_challenges() -> Path:
    """The folder of challenges, our own."""
    folder = layout.ACME / _CHALLENGE
    if folder.is_symlink():
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _place_challenges() -> Path:
    """Where challenges are shown: while a predecessor's ingress has port 80, our folder leads to the one that it shows."""
    if not (predecessor.is_here() and predecessor.WEBROOT.parent.is_dir()):
        return own_challenges()
    folder, target = layout.ACME / _CHALLENGE, predecessor.WEBROOT / _CHALLENGE
    target.mkdir(parents=True, exist_ok=True)
    if not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(target)
    return folder


def _leave_probe(folder: Path) -> tuple[str, str]:
    """Path and content of a fresh file among the challenges."""
    _forget_probes()
    token, name = secrets.token_hex(16), f"{_PROBE}{secrets.token_hex(8)}"
    layout.write(folder / name, token)
    return f"/{_CHALLENGE}/{name}", token


def _forget_probes() -> None:
    for old in (layout.ACME / _CHALLENGE).glob(f"{_PROBE}*"):
        old.unlink(missing_ok=True)


def _shown(path: str) -> str | None:
    """What port 80 of this server answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1{path}", timeout=3) as answer:
            return str(answer.read(1000).decode(errors="replace"))
    except (OSError, HTTPException):
        return None


def _start_listener(folder: Path) -> None:
    """Serves the challenges alone, as nobody, and ends by itself should nobody come back for it."""
    _stop_listener()
    program = Path(__file__).parent / "challenge_server.py"
    properties = ["RuntimeMaxSec=900", "User=nobody", "AmbientCapabilities=CAP_NET_BIND_SERVICE", "NoNewPrivileges=yes", "ProtectSystem=strict",
                  "ProtectHome=yes", "PrivateTmp=yes"]
    started = run(["systemd-run", "--quiet", f"--unit={_LISTENER}", "--collect", *[f"--property={value}" for value in properties],
                   "python3", "-B", os.path.realpath(program), str(folder), "80"])
    if started.status != 0:
        raise Failure("LISTENER_FAILED", _STEP, started.said, "look at systemd on the server.")
    for _ in range(50):
        if _shown("/") is not None or _is_port_80_open() or not systemd.all_active([_LISTENER]):
            return
        time.sleep(0.1)


def _is_port_80_open() -> bool:
    try:
        with socket.create_connection(("127.0.0.1", 80), timeout=2):
            return True
    except OSError:
        return False


def _stop_listener() -> None:
    run(["systemctl", "stop", _LISTENER])


def _holder_of_port_80() -> str:
    listening = run(["ss", "-Hltnp", "sport = :80"]).stdout
    return ", ".join(sorted(set(re.findall(r'\(\("([^"]+)"', listening)))) or "an unknown program"


def issue(client: str, domain: str, email: str | None, server: str | None, days: int) -> None:
    """Asks for a certificate unless a fit one is there; in any case hook, timer and copies are right afterwards."""
    if not email or not server:
        raise Failure("INPUT_INVALID", _STEP, "--email and --server are needed", "see `certificate --help`.")
    try:
        _place_challenges()
        _write_hook(client, domain)
        if status(domain, server, days)["valid"]:
            say(_STEP, f"{domain} has one")
            _renew_by_webroot(domain)
        else:
            _ask(domain, email, server)
        _prove_renewal(domain)
    finally:
        _stop_listener()
        _forget_probes()
    deploy(domain)


def _ask(domain: str, email: str, server: str) -> None:
    began = time.monotonic()
    result = _certbot(domain, email, server)
    if result.status != 0 and acme.is_account_lost(result.stdout + result.stderr):
        say(_STEP, "the authority has forgotten the account, a new one is registered")
        shutil.rmtree(_ACCOUNTS / re.sub(r"^https?://", "", server), ignore_errors=True)
        result = _certbot(domain, email, server)
    if result.status != 0:
        raise acme.failure(domain, result.stdout + result.stderr)
    say(_STEP, f"{domain} issued in {time.monotonic() - began:.1f} s")


def _certbot(domain: str, email: str, server: str) -> Result:
    return run(["certbot", "certonly", "--non-interactive", "--agree-tos", "--no-eff-email", "--email", email,
                "--server", server, "--webroot", "--webroot-path", str(layout.ACME), "--cert-name", domain,
                "--domain", domain, "--key-type", "ecdsa", "--force-renewal"], timeout=280)


def _write_hook(client: str, domain: str) -> None:
    _HOOK.parent.mkdir(parents=True, exist_ok=True)
    # certbot calls it after each renewal, of whatever certificate.
    layout.write(_HOOK, f"#!/bin/sh\nexec {layout.SCRIPTS}/certificate deploy --client {client} --domain {domain}\n", 0o755)


def _renew_by_webroot(domain: str) -> None:
    """A certificate that was had otherwise stays; only the way of its renewal changes."""
    path = _RENEWAL / f"{domain}.conf"
    former = path.read_text()
    wanted = webroot_renewal(former, str(layout.ACME))
    if wanted == former:
        return
    predecessor.keep(path.name, former)
    layout.write(path, wanted)
    say(_STEP, f"{domain} is renewed by webroot from now on")


def webroot_renewal(text: str, webroot: str) -> str:
    """Certbot's renewal file made to renew by our webroot, without hooks of the predecessor.

    One that renews by DNS or another server's plugin is somebody's choice and stays.
    """
    former = re.search(r"^authenticator = (\S+)$", text, re.MULTILINE)
    if former is None or former[1] not in ("standalone", "webroot") or re.search(rf"^webroot_path = {re.escape(webroot)},?$", text, re.MULTILINE):
        return text
    lines, section = [], ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip()
        name, _, value = (part.strip() for part in line.partition("="))
        is_way = section == "[renewalparams]" and name in ("authenticator", "webroot_path", "http01_port", "http01_address")
        is_hook = name in ("pre_hook", "post_hook", "renew_hook", "deploy_hook") and "geoclic" in value
        if section != "[[webroot_map]]" and not is_way and not is_hook:
            lines.append(line)
        if line.startswith("[renewalparams]"):
            lines += ["authenticator = webroot", f"webroot_path = {webroot},"]
    return "\n".join(lines) + "\n"


def _prove_renewal(domain: str) -> None:
    """The distribution's timer renews, by the way of the first issue."""
    path = _RENEWAL / f"{domain}.conf"
    if "authenticator = webroot" not in path.read_text():
        raise Failure("RENEWAL_UNFIT", _STEP, f"{path} does not renew by webroot", f"remove it with `certbot delete --cert-name {domain}`, then run again.")
    if not systemd.all_enabled(["certbot.timer"]):
        raise Failure("RENEWAL_UNFIT", _STEP, "certbot.timer is not enabled", "run the base again (`pulumi up`).")


def deploy(domain: str) -> None:
    """Copies the certificate, lets the ingress test and reload it, and looks at what is served then."""
    live = _LIVE / domain
    chain, key = (live / "fullchain.pem").read_bytes(), (live / "privkey.pem").read_bytes()
    # The key first: whoever reads both in between has a chain with a key that does not fit for a moment, and tests it.
    is_new = _content(layout.TLS / "privkey.pem") != key or _content(layout.TLS / "fullchain.pem") != chain
    if is_new:
        layout.write(layout.TLS / "privkey.pem", key, 0o600)
        layout.write(layout.TLS / "fullchain.pem", chain)
    ingress = _ingress()
    if ingress is None:
        say(_STEP, "copied; the ingress does not run yet" if is_new else "nothing to copy")
        return
    container, release = ingress
    tls = release["adapter"]["tls"]
    wanted = ssl.PEM_cert_to_DER_cert(_leaf(chain))
    if not is_new and _served(domain) == wanted:
        return
    for words in (tls["test"], tls["reload"]):
        ended = run(["docker", "exec", container, *words])
        if ended.status != 0:
            raise Failure("INGRESS_REFUSES", _STEP, f"{' '.join(words)}: {ended.said}", "correct the suite's ingress configuration, then run again.")
    detour.forget(release)
    end = time.monotonic() + 10
    while _served(domain) != wanted:
        if time.monotonic() > end:
            raise Failure("CERTIFICATE_NOT_SERVED", _STEP, f"{domain} does not serve {_facts(chain)['serial']} 10 s after the reload",
                          "look at the ingress on the server.")
        time.sleep(0.2)
    say(_STEP, f"{domain} serves {_facts(chain)['serial']}")


def _ingress() -> tuple[str, dict[str, Any]] | None:
    """The running ingress's container and the release."""
    release = layout.running_release()
    if release is None:
        return None
    described = layout.read_release(release)
    tls = described["adapter"]["tls"]
    running = [one.id for one in containers(described["project"]) if one.service == tls["service"] and one.is_running]
    return (running[-1], described) if running else None


def _leaf(chain: bytes) -> str:
    end = "-----END CERTIFICATE-----"
    return chain.decode().split(end)[0] + end + "\n"


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _served(domain: str) -> bytes | None:
    """The certificate that port 443 of this server shows for a name, DER."""
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


def status(domain: str, server: str | None, days: int = _ENOUGH_DAYS) -> dict[str, Any]:
    """{valid, serial, issuer, notAfter, daysLeft}; `valid`: for this domain, from this ACME server, for more than `days`."""
    try:
        chain = (_LIVE / domain / "fullchain.pem").read_bytes()
        renewal = (_RENEWAL / f"{domain}.conf").read_text()
    except OSError:
        return {"valid": False, "serial": None, "issuer": None, "notAfter": None, "daysLeft": None}
    facts = _facts(chain)
    is_of_server = server is None or re.search(rf"^server = {re.escape(server)}$", renewal, re.MULTILINE) is not None
    matches = "does match" in run(["openssl", "x509", "-noout", "-checkhost", domain], stdin=chain).stdout
    return {"valid": is_of_server and matches and facts["daysLeft"] > days, **facts}


def served() -> dict[str, Any] | None:
    """Facts of the certificate that the ingress has."""
    chain = _content(layout.TLS / "fullchain.pem")
    return _facts(chain) if chain else None


def _facts(pem: bytes) -> dict[str, Any]:
    shown = run(["openssl", "x509", "-noout", "-serial", "-enddate", "-issuer", "-dateopt", "iso_8601"], stdin=pem)
    if shown.status != 0:
        shown = run(["openssl", "x509", "-noout", "-serial", "-enddate", "-issuer"], stdin=pem)
    values = dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)
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
