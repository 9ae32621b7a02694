"""The certificate of the town: asked for and renewed by webroot, and what is served."""

import argparse
import json
import os
import re
import secrets
import shutil
import socket
import time
import urllib.request
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

from . import acme, layout, lineages, predecessor, systemd, tls
from . import command as frame
from .failure import Failure, known, say
from .lineages import Lineage
from .process import run

_LOG = Path("/var/log/letsencrypt/letsencrypt.log")
_HOOK = Path("/etc/letsencrypt/renewal-hooks/deploy/geoclic")
_LISTENER = "geoclic-acme-listener"
_CHALLENGE = ".well-known/acme-challenge"
_PROBE = "geoclic-probe-"
_ENOUGH_DAYS = 30
_ASK_SECONDS = 180
"""No further attempt begins later; the operator's side waits for ten minutes in all."""
_LOST_ACCOUNTS = 3
_RELOAD_SECONDS = 90
"""How long the reload waits for another operation; the monitor comes back to it afterwards."""
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
            deploy(options.domain, _RELOAD_SECONDS)
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
                   "python3", "-X", "utf8", "-B", os.path.realpath(program), str(folder), "80"])
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
    """Asks for a certificate unless a fit one is there; in any case hook, timer and what is served are right afterwards."""
    if not email or not server:
        raise Failure("INPUT_INVALID", _STEP, "--email and --server are needed", "see `certificate --help`.")
    try:
        _place_challenges()
        _write_hook(client, domain)
        for done in lineages.repair(domain):
            say(_STEP, done)
        if status(domain, server, days)["valid"]:
            say(_STEP, f"{domain} has one")
        else:
            _ask(domain, email, server)
        _prove_renewal(domain, email, server)
    finally:
        _stop_listener()
        _forget_probes()
    deploy(domain, _RELOAD_SECONDS)


def _ask(domain: str, email: str, server: str) -> None:
    """Raises Failure as acme.failure tells; what passes by itself is tried again for some minutes."""
    began, attempts, forgotten = time.monotonic(), 0, 0
    lineage = _lineage(domain)
    name, wanted = (lineage.name, lineage.account) if lineage else (domain, None)
    while True:
        started = time.time()
        account = lineages.account_for(lineages.accounts(server), wanted)
        result = run(["certbot", "certonly", *_agreed(email, server, account), "--webroot", "--webroot-path", str(layout.ACME), "--cert-name", name,
                      "--domain", domain, "--key-type", "ecdsa", "--force-renewal"], timeout=280)
        if result.status == 0:
            break
        problem = acme.read(f"{result.stdout}\n{result.stderr}", _log_since(started))
        if account and acme.is_account_lost(problem) and forgotten < _LOST_ACCOUNTS:
            say(_STEP, f"the authority does not take account {account} any more, another one is used")
            lineages.forget_account(server, account)
            forgotten += 1
            continue
        attempts += 1
        pause = acme.pause(problem, attempts)
        if pause is None or time.monotonic() - began + pause > _ASK_SECONDS:
            raise acme.failure(domain, problem)
        say(_STEP, f"{problem.detail}; tried again in {pause:.0f} s")
        time.sleep(pause)
    say(_STEP, f"{domain} issued in {time.monotonic() - began:.1f} s")


def _agreed(email: str, server: str, account: str | None) -> list[str]:
    # Of several accounts certbot would have a person choose.
    return ["--non-interactive", "--agree-tos", "--no-eff-email", "--email", email, "--server", server, *(["--account", account] if account else [])]


def _log_since(started: float) -> str:
    """Certbot's log of the run that just ended; it begins a new one each time."""
    try:
        return _LOG.read_text(errors="replace") if _LOG.stat().st_mtime >= started - 1 else ""
    except OSError:
        return ""


def _write_hook(client: str, domain: str) -> None:
    _HOOK.parent.mkdir(parents=True, exist_ok=True)
    # certbot calls it after each renewal, of whatever certificate.
    layout.write(_HOOK, f"#!/bin/sh\nexec {layout.SCRIPTS}/certificate deploy --client {client} --domain {domain}\n", 0o755)


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


def with_account(text: str, account: str) -> str:
    """Certbot's renewal file with the account that renews."""
    if re.search(r"^account = .*$", text, re.MULTILINE):
        return re.sub(r"^account = .*$", f"account = {account}", text, count=1, flags=re.MULTILINE)
    return text.replace("[renewalparams]\n", f"[renewalparams]\naccount = {account}\n", 1)


def _prove_renewal(domain: str, email: str, server: str) -> None:
    """The distribution's timer renews, by our webroot and an account that is there; a certificate that was had otherwise stays.

    Raises Failure RENEWAL_UNFIT.
    """
    lineage = _lineage(domain)
    if lineage is None:
        raise Failure("RENEWAL_UNFIT", _STEP, f"certbot has no whole certificate of {domain}", "look at `certbot certificates` on the server, then run again.")
    path = lineages.renewal_file(lineage.name)
    if not lineages.accounts(server):
        registered = run(["certbot", "register", *_agreed(email, server, None)], timeout=120)
        if registered.status != 0:
            raise acme.failure(domain, acme.read(f"{registered.stdout}\n{registered.stderr}", ""))
    by_webroot = webroot_renewal(lineage.renewal, str(layout.ACME))
    if "authenticator = webroot" not in by_webroot:
        raise Failure("RENEWAL_UNFIT", _STEP, f"{path} does not renew by webroot", f"remove it with `certbot delete --cert-name {lineage.name}`, then run again.")
    if by_webroot != lineage.renewal:
        predecessor.keep(path.name, lineage.renewal)
    account = lineages.account_for(lineages.accounts(server), lineage.account)
    wanted = with_account(by_webroot, account) if account else by_webroot
    if wanted != lineage.renewal:
        layout.write(path, wanted)
        say(_STEP, f"{lineage.name} is renewed by webroot from now on, by account {account}")
    if not systemd.all_enabled(["certbot.timer"]):
        raise Failure("RENEWAL_UNFIT", _STEP, "certbot.timer is not enabled", "run the base again (`pulumi up`).")


def deploy(domain: str, wait_seconds: int = 0) -> None:
    """Certbot's newest pair is what the town serves; nothing is done where it is so. Raises Failure CERTIFICATE_MISSING, BUSY or as tls.serve."""
    lineage = _lineage(domain)
    if lineage is None:
        raise Failure("CERTIFICATE_MISSING", _STEP, f"certbot has no whole certificate of {domain}", "run `geoclic-fleet drift --fix`: it asks for one.")
    live = lineages.live(lineage.name)
    tls.serve(domain, (live / "fullchain.pem").read_bytes(), (live / "privkey.pem").read_bytes(), wait_seconds)


def at_boot() -> None:
    """Before the suite's containers are started: the newest pair is in its place. What hinders it is the monitor's finding, and no reason to stay down."""
    domain = (layout.read_json(layout.STATUS) or {}).get("domain")
    if not domain:
        return
    try:
        deploy(domain)
    except Exception as error:
        failure = known(error, _STEP)
        say(_STEP, f"warning: {failure.code}: {failure.cause}")


def status(domain: str, server: str | None, days: int = _ENOUGH_DAYS) -> dict[str, Any]:
    """{valid, serial, issuer, notAfter, daysLeft}; `valid`: for this domain, from this ACME server, for more than `days`, and can be renewed."""
    lineage = _lineage(domain)
    if lineage is None:
        return {"valid": False, "serial": None, "issuer": None, "notAfter": None, "daysLeft": None}
    chain = (lineages.live(lineage.name) / "fullchain.pem").read_bytes()
    facts = tls.facts(chain)
    matches = "does match" in run(["openssl", "x509", "-noout", "-checkhost", domain], stdin=chain).stdout
    return {"valid": lineage.is_whole and server in (None, lineage.server) and matches and facts["daysLeft"] > days, **facts}


def _lineage(domain: str) -> Lineage | None:
    """Of those whose links are whole, the one that ends last."""
    found = [lineage for lineage in lineages.of(domain) if lineage.serving is not None]
    ends = [datetime.fromisoformat(tls.facts((lineages.live(lineage.name) / "fullchain.pem").read_bytes())["notAfter"]) for lineage in found]
    return lineages.chosen(found, ends)
