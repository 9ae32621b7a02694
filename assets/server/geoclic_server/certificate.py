"""The certificate of the town: asked for and renewed by webroot, copied, tested and proven to be served."""

import argparse
import json
import re
import secrets
import shutil
import socket
import ssl
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import command as frame
from . import layout
from .compose import container_of
from .failure import Failure, say
from .process import Result, run

_LIVE = Path("/etc/letsencrypt/live")
_RENEWAL = Path("/etc/letsencrypt/renewal")
_ACCOUNTS = Path("/etc/letsencrypt/accounts")
_HOOK = Path("/etc/letsencrypt/renewal-hooks/deploy/geoclic")
_LISTENER = "geoclic-acme-listener"
_CHALLENGE = ".well-known/acme-challenge"
_ENOUGH_DAYS = 30
_STEP = "certificate"


def command() -> None:
    frame.main("certificate", _options, _work)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=["prepare", "issue", "deploy", "status"])
    parser.add_argument("--domain", required=True)
    parser.add_argument("--email")
    parser.add_argument("--server", help="ACME directory")
    parser.add_argument("--json", action="store_true")


def _work(options: frame.Options) -> None:
    layout.make_folders()
    match options.verb:
        case "prepare":
            print(json.dumps(prepare()))
        case "issue":
            issue(options.client, options.domain, options.email, options.server)
        case "deploy":
            deploy(options.domain)
        case "status":
            print(json.dumps(status(options.domain, options.server)))


def prepare() -> dict[str, str]:
    """Makes sure that somebody serves the webroot on port 80, and leaves a token there to be read from outside."""
    folder = layout.ACME / _CHALLENGE
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("geoclic-probe-*"):
        old.unlink(missing_ok=True)
    token = secrets.token_hex(16)
    name = f"geoclic-probe-{secrets.token_hex(8)}"
    layout.write(folder / name, token)
    if not _answers_on_port_80():
        _start_listener()
    return {"token": token, "path": f"/{_CHALLENGE}/{name}"}


def _answers_on_port_80() -> bool:
    try:
        with socket.create_connection(("127.0.0.1", 80), timeout=2):
            return True
    except OSError:
        return False


def _start_listener() -> None:
    """A throw-away server for the time before nginx: it has the webroot and nothing else."""
    run(["systemctl", "stop", _LISTENER])
    # By itself it ends too, should nobody come back for it.
    started = run(["systemd-run", f"--unit={_LISTENER}", "--collect", "--property=RuntimeMaxSec=900",
                   "--property=ProtectSystem=strict", "--property=ProtectHome=yes", "--property=PrivateTmp=yes",
                   "--property=NoNewPrivileges=yes", "python3", "-B", "-m", "http.server", "80", "--directory", str(layout.ACME)])
    if started.status != 0:
        raise Failure("LISTENER_FAILED", _STEP, started.said, "look at what holds port 80 on the server.")
    for _ in range(50):
        if _answers_on_port_80():
            return
        time.sleep(0.1)
    raise Failure("LISTENER_FAILED", _STEP, "nothing answers on port 80 after 5 s", f"look at `journalctl -u {_LISTENER}`.")


def issue(client: str, domain: str, email: str | None, server: str | None) -> None:
    """Asks for a certificate unless a fit one is there; in any case hook, timer and copies are right afterwards."""
    if not email or not server:
        raise Failure("INPUT_INVALID", _STEP, "--email and --server are needed", "call it as the program does.")
    try:
        _write_hook(client, domain)
        if status(domain, server)["valid"]:
            say(_STEP, f"{domain} has one")
        else:
            _ask(domain, email, server)
        _prove_renewal(domain)
        deploy(domain)
    finally:
        run(["systemctl", "stop", _LISTENER])


def _ask(domain: str, email: str, server: str) -> None:
    began = time.monotonic()
    result = _certbot(domain, email, server)
    if result.status != 0 and "not found" in result.said and "ccount" in result.said:
        # The ACME server has forgotten the account (a test server that was started again): register anew, once.
        shutil.rmtree(_ACCOUNTS / re.sub(r"^https?://", "", server), ignore_errors=True)
        result = _certbot(domain, email, server)
    if result.status != 0:
        raise acme_failure(domain, result.stdout + result.stderr)
    say(_STEP, f"{domain} issued in {time.monotonic() - began:.1f} s")


def _certbot(domain: str, email: str, server: str) -> Result:
    return run(["certbot", "certonly", "--non-interactive", "--agree-tos", "--no-eff-email", "--email", email,
                "--server", server, "--webroot", "--webroot-path", str(layout.ACME), "--cert-name", domain,
                "--domain", domain, "--key-type", "ecdsa", "--force-renewal"], timeout=240)


def acme_failure(domain: str, text: str) -> Failure:
    """What certbot's output means."""
    detail = _detail(text)
    if "rateLimited" in text or "too many" in text.lower():
        return Failure("ACME_RATE_LIMITED", _STEP, f"no certificate for {domain}: {detail}",
                       "wait until the limit ends (see the message), then run again.")
    if re.search(r"urn:ietf:params:acme:error:(connection|dns|unauthorized|tls)|Certbot failed to authenticate", text):
        return Failure("ACME_REFUSED", _STEP, f"{domain} could not be proven: {detail}",
                       "check DNS (A and AAAA) and port 80 from outside, then run again.")
    if re.search(r"50[0-9]|timed out|Max retries|Connection refused|unexpected error", text):
        return Failure("ACME_DOWN", _STEP, f"the ACME server does not work: {detail}",
                       "wait until it works again, then run again.")
    return Failure("ACME_FAILED", _STEP, f"no certificate for {domain}: {detail}",
                   "read /var/log/letsencrypt/letsencrypt.log on the server, then run again.")


def _detail(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    wanted = [line for line in lines if line.startswith(("Detail:", "Error", "An unexpected error")) or "urn:ietf" in line or "::" in line]
    return " ".join(wanted or [line for line in lines if line][-2:])[:400]


def _write_hook(client: str, domain: str) -> None:
    _HOOK.parent.mkdir(parents=True, exist_ok=True)
    layout.write(_HOOK, f"#!/bin/sh\nexec {layout.SCRIPTS}/certificate deploy --client {client} --domain {domain}\n", 0o755)


def _prove_renewal(domain: str) -> None:
    """The distribution's timer renews, by the way of the first issue."""
    text = (_RENEWAL / f"{domain}.conf").read_text()
    if "authenticator = webroot" not in text:
        raise Failure("RENEWAL_UNFIT", _STEP, f"{_RENEWAL}/{domain}.conf does not renew by webroot",
                      "remove that certificate with `certbot delete`, then run again.")
    if run(["systemctl", "is-enabled", "--quiet", "certbot.timer"]).status != 0:
        raise Failure("RENEWAL_UNFIT", _STEP, "certbot.timer is not enabled", "run the base again (`pulumi up`).")


def deploy(domain: str) -> None:
    """Copies the certificate, lets the ingress test and reload it, and looks at what is served then."""
    live = _LIVE / domain
    chain, key = (live / "fullchain.pem").read_bytes(), (live / "privkey.pem").read_bytes()
    if _content(layout.TLS / "fullchain.pem") != chain or _content(layout.TLS / "privkey.pem") != key:
        layout.write(layout.TLS / "privkey.pem", key, 0o600)
        layout.write(layout.TLS / "fullchain.pem", chain)
    release = layout.running_release()
    if release is None:
        return
    described = layout.read_release(release)
    tls = described["adapter"]["tls"]
    container = container_of(described["project"], tls["service"])
    tested = run(["docker", "exec", container, *tls["test"]])
    if tested.status != 0:
        raise Failure("INGRESS_REFUSES", _STEP, tested.said, "correct the suite's nginx configuration.")
    reloaded = run(["docker", "exec", container, *tls["reload"]])
    if reloaded.status != 0:
        raise Failure("INGRESS_REFUSES", _STEP, reloaded.said, "look at the ingress on the server.")
    wanted = _facts(chain)["serial"]
    for _ in range(50):
        if _served_serial(domain) == wanted:
            say(_STEP, f"{domain} serves {wanted}")
            return
        time.sleep(0.2)
    raise Failure("CERTIFICATE_NOT_SERVED", _STEP, f"{domain} does not serve {wanted} after 10 s",
                  "look at the ingress on the server.")


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _served_serial(domain: str) -> str | None:
    context = ssl.create_default_context()
    context.check_hostname = False
    # Only the serial is wanted here, of a server on this very machine; from outside it is verified.
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection(("127.0.0.1", 443), timeout=3) as plain, \
                context.wrap_socket(plain, server_hostname=domain) as secured:
            der = secured.getpeercert(binary_form=True)
    except OSError:
        return None
    return str(_facts(ssl.DER_cert_to_PEM_cert(der).encode())["serial"]) if der else None


def status(domain: str, server: str | None) -> dict[str, Any]:
    """`valid`: for this domain, from this ACME server, for more than 30 days."""
    try:
        facts = _facts((_LIVE / domain / "fullchain.pem").read_bytes())
        renewal = (_RENEWAL / f"{domain}.conf").read_text()
    except OSError:
        return {"valid": False, "notAfter": None, "daysLeft": None, "serial": None}
    from_server = server is None or f"server = {server}" in renewal
    return {"valid": from_server and facts["daysLeft"] > _ENOUGH_DAYS, **facts}


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
