"""Makes a delivered release the running one: checks, database, services, gate, commit; undone when it fails.

`start` puts `run` under systemd, so that a lost connection does not stop it; `follow` shows its journal to the end.
Whatever interrupts a run, the next one goes on from what it finds.
"""

import argparse
import json
import os
import re
import secrets
import time
from typing import Any

from . import command as frame
from . import interruption, journal, layout
from .execution import Activation
from .failure import Failure, known, say
from .journal import Journal
from .lock import operation
from .process import run

_UNIT = "geoclic-activate"
_TURN = layout.STATE / "begin.lock"
_BEGIN_SECONDS = 30
_BACKUP_SECONDS = 1800
_UNDO_SECONDS = 300
"""For the end of a cancelled run; also what a shutdown waits for it at most."""
_STEP = "activation"


def command() -> None:
    frame.main("activate", _options, _work)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=["start", "follow", "run", "status", "undo", "cancel"])
    parser.add_argument("--release")
    parser.add_argument("--domain")
    parser.add_argument("--run", help="id of a run, given by start")
    parser.add_argument("--json", action="store_true")


def _work(options: frame.Options) -> None:
    match options.verb:
        case "start":
            start(options.client, _given(options.release, "--release"), _domain(options.domain))
        case "follow":
            follow(_given(options.release, "--release"))
        case "run":
            _run(_given(options.run, "--run"), _given(options.release, "--release"), _domain(options.domain), options.client)
        case "undo":
            undo(options.client, _domain(options.domain))
        case "cancel":
            cancel(_given(options.release, "--release"))
        case "status":
            print(json.dumps(status(), ensure_ascii=False))


def _given(value: str | None, option: str) -> str:
    if not value:
        raise Failure("INPUT_INVALID", _STEP, f"{option} is needed", "see `activate --help`.")
    return value


def _domain(value: str | None) -> str:
    domain = _given(value, "--domain")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
        raise Failure("INPUT_INVALID", _STEP, f"--domain is {domain!r}", "give a host name in lower case.")
    return domain


def start(client: str, release: str, domain: str, what: str = "activate") -> None:
    """Begins a run in the background; one that goes on for the same release is joined. Raises Failure BUSY for another."""
    layout.read_release(release)
    # Two who begin at the same moment are one after the other: the second one finds the first.
    with operation("the begin of an activation", _BEGIN_SECONDS, path=_TURN):
        _start(client, release, domain, what)


def _start(client: str, release: str, domain: str, what: str) -> None:
    if _is_going_on():
        present, began = journal.last() or {}, journal.environment()
        is_same = began in (None, layout.environment_digest())
        if present.get("release") == release and is_same:
            say(_STEP, "it is going on already")
            return
        raise Failure("BUSY", _STEP, f"the activation of {present.get('release')} is going on here since {present.get('startedAt')}"
                      + ("" if is_same else ", begun with another environment"),
                      "wait for its end, then run again.")
    run_id = secrets.token_hex(4)
    # Before the unit begins, so that nobody who follows takes an earlier end for this one's.
    Journal(run_id, release).begin(what, layout.environment_digest())
    # The scripts of now: the link may change while it runs.
    program = os.path.realpath(layout.SCRIPTS / "run.py")
    begun = run(["systemd-run", f"--unit={_UNIT}", "--collect", "--quiet", "--property=KillMode=mixed",
                 f"--property=TimeoutStopSec={_UNDO_SECONDS}",
                 # Stopped before Docker is, when the server goes down.
                 "--property=After=docker.service",
                 "python3", "-X", "utf8", "-B", program, "activate", "run", "--client", client, "--release", release, "--domain", domain, "--run", run_id])
    if begun.status != 0:
        raise Failure("ACTIVATION_NOT_STARTED", _STEP, begun.said, "look at systemd on the server, then run again.")


def follow(release: str) -> None:
    """Shows the run from its beginning to its end, and ends as it does."""
    shown = 0
    looked = time.monotonic()
    followed: str | None = None
    while True:
        is_over = False
        if time.monotonic() - looked > 2:
            # Asked before the journal is read: an end written in between is seen.
            looked, is_over = time.monotonic(), not _is_going_on()
        found = journal.entries()
        followed = followed or (found[0].get("run") if found else None)
        if not found or found[0].get("release") != release or found[0].get("run") != followed:
            raise Failure("ACTIVATION_UNKNOWN", _STEP, f"no activation of {release} was begun here, or another one since", "run `pulumi up` again.")
        for entry in found[shown:]:
            if entry["kind"] == "step":
                print(f"{entry['step']}: {entry['text']}", flush=True)
            elif entry["kind"] == "end":
                if entry["outcome"] == "failed":
                    raise Failure(entry["code"], entry["step"], entry["cause"], entry["next"])
                return
        shown = len(found)
        if is_over:
            raise Failure("ACTIVATION_INTERRUPTED", _STEP, "it ended without a word (a reboot, or it was killed)",
                          "run `pulumi up` again: it goes on from there.")
        time.sleep(0.2)


def undo(client: str, domain: str) -> None:
    """Back to the former release: images and code; migrations are additive and stay."""
    former = status()["former"]
    if not former:
        raise Failure("NO_FORMER_RELEASE", "undo", "there is no former release here", "pin a release in the stack file instead.")
    start(client, former, domain, "undo")
    follow(former)


def cancel(release: str) -> None:
    """Ends the run of a release by undoing it, and returns when that is done. One past its gate runs to its end."""
    present = journal.last() or {}
    if not _is_going_on() or present.get("release") != release:
        say(_STEP, f"no activation of {release} is going on here: nothing to cancel")
        return
    # The main process alone: it gives the programs that it has started their time. (`--kill-whom` is unknown to systemd 249.)
    told = run(["systemctl", "kill", "--kill-who=main", "--signal=TERM", _UNIT])
    if told.status != 0 and _is_going_on():
        raise Failure("CANCEL_FAILED", _STEP, f"the run of {release} was not told to stop: {told.said}", "look at `systemctl status geoclic-activate` on the server, then cancel again.")
    try:
        follow(release)
    except Failure as failure:
        if failure.code != "CANCELLED":
            raise
        say(failure.step, failure.cause)
        return
    say(_STEP, f"{release} runs: it was past the point of return")


def status() -> dict[str, Any]:
    """{running, former, last: {release, what, outcome, startedAt, endedAt, code?, step?, cause?, next?} | None}"""
    known = layout.read_json(layout.STATUS) or {}
    return {"running": layout.running_release(), "former": known.get("former"), "last": journal.last()}


def _is_going_on() -> bool:
    return run(["systemctl", "is-active", "--quiet", _UNIT]).status == 0


def _run(run_id: str, release_id: str, domain: str, client: str) -> None:
    interruption.listen()
    written = Journal(run_id, release_id)
    failure: Failure | None = None
    try:
        with operation(f"activation of {release_id}", _BACKUP_SECONDS, lambda who: written.step(_STEP, f"waits for {who}"), interruption.check):
            Activation(written, layout.read_release(release_id), domain, client).run()
    except Exception as error:
        failure = known(error, _STEP)
        # What may be left is looked at again once this run has ended, by the unit that brings the suite up.
        run(["systemctl", "start", "--no-block", "geoclic.service"])
        raise
    finally:
        written.end(failure)
