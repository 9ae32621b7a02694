"""Makes a delivered release the running one: checks, database, services, gate, commit; undone when it fails.

`start` puts `run` under systemd, so that a lost connection does not stop it; `follow` shows its journal to the end.
Whatever interrupts a run, the next one goes on from what it finds.
"""

import argparse
import json
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import boot, certificate, files, journal, layout, predecessor, services, town
from . import command as frame
from .adoption import Adoption
from .compose import images
from .database import Database
from .failure import Failure, known, say
from .journal import Journal
from .lock import operation
from .migrations import pending
from .process import run
from .retention import STAMP, expired_dumps, expired_releases, unused_images

_UNIT = "geoclic-activate"
_STATUS = layout.STATE / "releases.json"
_GATE_SECONDS = 60
_BACKUP_SECONDS = 1800
_STEP = "activation"


def command() -> None:
    frame.main("activate", _options, _work)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=["start", "follow", "run", "status", "undo"])
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
    if _is_going_on():
        present = journal.last() or {}
        if present.get("release") == release:
            say(_STEP, "it is going on already")
            return
        raise Failure("BUSY", _STEP, f"the activation of {present.get('release')} is going on here since {present.get('startedAt')}",
                      "wait for its end, then run again.")
    run_id = secrets.token_hex(4)
    # Before the unit begins, so that nobody who follows takes an earlier end for this one's.
    Journal(run_id, release).begin(what)
    # The scripts of now: the link may change while it runs.
    program = os.path.realpath(layout.SCRIPTS / "run.py")
    begun = run(["systemd-run", f"--unit={_UNIT}", "--collect", "--quiet", "--property=KillMode=mixed", "--property=TimeoutStopSec=30",
                 "python3", "-B", program, "activate", "run", "--client", client, "--release", release, "--domain", domain, "--run", run_id])
    if begun.status != 0:
        raise Failure("ACTIVATION_NOT_STARTED", _STEP, begun.said, "look at systemd on the server, then run again.")


def follow(release: str) -> None:
    """Shows the run from its beginning to its end, and ends as it does."""
    shown = 0
    looked = time.monotonic()
    while True:
        is_over = False
        if time.monotonic() - looked > 2:
            # Asked before the journal is read: an end written in between is seen.
            looked, is_over = time.monotonic(), not _is_going_on()
        found = journal.entries()
        if not found or found[0].get("release") != release:
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


def status() -> dict[str, Any]:
    """{running, former, last: {release, what, outcome, startedAt, endedAt, code?, step?, cause?, next?} | None}"""
    known = layout.read_json(_STATUS) or {}
    return {"running": layout.running_release(), "former": known.get("former"), "last": journal.last()}


def _is_going_on() -> bool:
    return run(["systemctl", "is-active", "--quiet", _UNIT]).status == 0


def _run(run_id: str, release_id: str, domain: str, client: str) -> None:
    written = Journal(run_id, release_id)
    failure: Failure | None = None
    try:
        with operation(f"activation of {release_id}", _BACKUP_SECONDS, lambda who: written.step(_STEP, f"waits for {who}")):
            _Activation(written, layout.read_release(release_id), domain, client).run()
    except Exception as error:
        failure = known(error, _STEP)
        raise
    finally:
        written.end(failure)


class _Activation:
    def __init__(self, written: Journal, release: dict[str, Any], domain: str, client: str) -> None:
        self._say, self._release, self._domain, self._client = written.step, release, domain, client
        self._id: str = release["id"]
        self._suite = layout.release_folder(self._id) / "suite"
        self._running = layout.running_release()
        self._began = time.monotonic()
        self._is_adoption = predecessor.is_here()

    def run(self) -> None:
        rollout = self._bring()
        self._commit()
        rollout.finish()
        boot.install(self._client)
        self._prune()
        self._say(_STEP, f"{self._id} runs, after {time.monotonic() - self._began:.1f} s")

    def _bring(self) -> services.Rollout:
        """Everything until the gate is passed; what was replaced is put back when it fails."""
        try:
            self._prepare()
            rollout = services.Rollout(self._release, self._say)
        except Exception as error:
            raise (self._given_back(known(error, _STEP)) if self._is_adoption else error) from error
        try:
            if self._is_adoption:
                self._begin_adoption()
            files.place_static(self._release, self._suite)
            rollout.run()
            self._gate()
        except Exception as error:
            raise self._undone(known(error, _STEP), rollout) from error
        return rollout

    def _prepare(self) -> None:
        self._check()
        files.place_binds(self._release, self._suite)
        files.place_logs(self._release)
        database = Database(self._release)
        database.start()
        self._migrate(database)

    def _check(self) -> None:
        step = "preflight"
        if not layout.ENVIRONMENT.exists():
            raise Failure("ENVIRONMENT_MISSING", step, f"{layout.ENVIRONMENT} is missing", "run `pulumi up` again: it writes it.")
        if not all((layout.TLS / name).exists() for name in ("fullchain.pem", "privkey.pem")):
            raise Failure("CERTIFICATE_MISSING", step, f"there is no certificate in {layout.TLS}", "run `pulumi up` again: it asks for one.")
        paths = [bind["source"] for bind in self._release["binds"]] + [static["source"] for static in self._release["static"]]
        absent = [path for path in (*paths, self._release["adapter"]["database"]["init"]) if not (self._suite / path).exists()]
        if absent:
            raise Failure("RELEASE_BROKEN", step, f"{self._suite} lacks {', '.join(absent)}", "remove that release's folder and run again: it is delivered anew.")
        files.check_space(step)
        present = images()
        missing = [f"{name} ({service['image']})" for name, service in self._release["services"].items() if service["image"] not in present]
        if missing:
            raise Failure("IMAGE_MISSING", step, f"not on this server: {', '.join(missing)}", "run `pulumi up` again: it delivers them.")

    def _migrate(self, database: Database) -> None:
        is_first = database.is_empty()
        if is_first:
            began = time.monotonic()
            database.initialise(self._suite)
            self._say("database", f"was empty, initialised in {time.monotonic() - began:.1f} s")
        applied = database.applied()
        if applied is None and self._is_adoption:
            self._adopt(database)
            applied = database.applied()
        elif self._is_adoption and not is_first:
            # It was cut, and the town has served since.
            self._keep_dump(database)
        if applied is None:
            raise Failure("DATABASE_FOREIGN", "database", "it has tables but no ledger of migrations", "neither this tool nor the one before it made it: look at the database and at /opt/geoclic on the server.")
        to_run, altered = pending(database.read_migrations(self._suite), applied)
        for name in altered:
            self._say("migrations", f"warning: {name} was applied with another content; it is not run again")
        self._refuse_breaking([migration.name for migration in to_run], is_first)
        if not is_first and not self._is_adoption and (to_run or services.to_change(self._release)):
            self._dump(database)
        for migration in to_run:
            began = time.monotonic()
            notes = database.migrate(migration)
            self._say("migrations", f"{migration.name} in {time.monotonic() - began:.1f} s" + (f", tolerated {notes}" if notes else ""))

    def _adopt(self, database: Database) -> None:
        """A ledger for a database that has none, once it is dumped."""
        self._keep_dump(database)
        adoption = Adoption(database, self._say)
        plans = adoption.plan(self._suite)
        self._refuse_breaking([each.migration.name for each in plans if each.verdict != "present"], is_first=False)
        adoption.carry_out(plans, self._release["adapter"]["database"]["tolerate"])

    def _begin_adoption(self) -> None:
        """From here on a reboot goes on with this release's containers, not with the predecessor's unit."""
        predecessor.begin(self._id)
        boot.install(self._client)
        certificate.own_challenges()

    def _refuse_breaking(self, names: list[str], is_first: bool) -> None:
        """The former release could not run with them, so going back would need the database of before."""
        breaking = [name for name in names if name in self._release["adapter"]["database"]["breaking"]]
        if breaking and not is_first and (self._is_adoption or self._running not in (None, self._id)):
            raise Failure("MIGRATION_BREAKING", "migrations", f"{', '.join(breaking)} cannot run while the former release serves",
                          "split it into additive steps; maintenance under the 503 page is not there yet.")

    def _keep_dump(self, database: Database) -> None:
        """Beside the former installation, for good: the first one, and the newest of later attempts."""
        predecessor.make_folder()
        self._dump_to(database, predecessor.KEPT / f"before-adoption-{datetime.now(timezone.utc):{STAMP}}.dump")
        for between in sorted(predecessor.KEPT.glob("before-adoption-*.dump"))[1:-1]:
            between.unlink()

    def _dump_to(self, database: Database, path: Path) -> None:
        began = time.monotonic()
        size = database.dump(path, "dump")
        self._say("dump", f"{path.name}, {size} bytes, verified, in {time.monotonic() - began:.1f} s")

    def _dump(self, database: Database) -> None:
        self._dump_to(database, layout.BACKUPS / f"before-{self._id}-{datetime.now(timezone.utc):{STAMP}}.dump")
        for old in expired_dumps([path.name for path in layout.BACKUPS.iterdir()]):
            (layout.BACKUPS / old).unlink()

    def _gate(self) -> None:
        """From inside: every service runs the release and is healthy, and the suite's own rule holds through the ingress, over TLS."""
        end = time.monotonic() + _GATE_SECONDS
        rule = self._release["adapter"]["health"]
        while True:
            wrong = services.to_change(self._release)
            problem = f"not on this release or not running: {', '.join(wrong)}" if wrong else town.health_problem(self._domain, rule)
            if problem is None:
                self._say("gate", f"{len(self._release['services'])} services on {self._id}, https://{self._domain}{rule['path']} healthy")
                return
            if time.monotonic() > end:
                raise Failure("HEALTH_FAILED", "gate", problem, "read the logs of the service named, correct it, then run again.")
            time.sleep(0.5)

    def _undone(self, failure: Failure, rollout: services.Rollout) -> Failure:
        """Puts back what was replaced; the schema stays, which the former release runs on."""
        if self._is_adoption:
            return self._given_back(failure)
        if self._running in (None, self._id):
            return failure
        try:
            former = layout.read_release(str(self._running))
            files.place_static(former, layout.release_folder(former["id"]) / "suite")
            if rollout.touched:
                rollout.undo(former)
        except Exception as second:
            return Failure("UNDO_FAILED", failure.step, f"{failure.cause} ({failure.code}); and {self._running} did not come back whole: {second}",
                           "look at `docker ps -a` on the server now: the town may be down.")
        return Failure(failure.code, failure.step, f"{failure.cause}; {self._running} serves on", failure.action)

    def _given_back(self, failure: Failure) -> Failure:
        """The former installation serves as before, whichever run replaced something of it; the next one begins afresh."""
        if predecessor.opened() is None:
            return Failure(failure.code, failure.step, f"{failure.cause}; nothing of the former installation was touched", failure.action)
        try:
            services.Rollout(self._release, self._say).give_back()
            predecessor.give_back()
            # A ledger that stays is no harm where nobody migrates by himself.
            with suppress(Failure):
                Database(self._release).attach().forget_ledger()
        except Exception as second:
            return Failure("UNDO_FAILED", failure.step, f"{failure.cause} ({failure.code}); and the former installation did not come back whole: {second}",
                           f"look at `docker ps -a` on the server now: the town may be down; `docker compose up -d` in {predecessor.FOLDER} starts it.")
        return Failure(failure.code, failure.step, f"{failure.cause}; the former installation serves on", failure.action)

    def _commit(self) -> None:
        """Each line may be the last one that was done: the next run comes to the same end."""
        known = layout.read_json(_STATUS) or {}
        former = known.get("former") if self._running == self._id else self._running
        layout.write(_STATUS, json.dumps({"running": self._id, "former": former, "domain": self._domain}) + "\n", 0o600)
        if self._running != self._id:
            _switch_current(self._id)
        shown = layout.PUBLIC / "release.json"
        if (layout.read_json(shown) or {}).get("release") != self._id:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            layout.write(shown, json.dumps({"release": self._id, "activatedAt": now}) + "\n")

    def _prune(self) -> None:
        """What is kept too long is no failure of a release that runs."""
        try:
            known = layout.read_json(_STATUS) or {}
            delivered = {path.name: path.stat().st_mtime for path in layout.RELEASES.iterdir() if re.fullmatch(r"[0-9a-f]{12}", path.name)}
            for name in expired_releases(delivered, self._id, known.get("former")):
                shutil.rmtree(layout.RELEASES / name)
                self._say("prune", f"release {name} removed")
            kept = [described for name in os.listdir(layout.RELEASES) if (described := layout.read_json(layout.RELEASES / name / "release.json"))]
            used = [service["image"] for described in kept for service in described["services"].values()]
            for image in unused_images(sorted(images()), self._release["adapter"]["name"], used):
                # Docker itself refuses to remove one that a container needs.
                run(["docker", "image", "rm", image])
            hashes = {bind["hash"] for described in kept for bind in described["binds"]}
            for folder in layout.BINDS.iterdir():
                if folder.name not in hashes:
                    shutil.rmtree(folder)
        except (OSError, Failure) as error:
            self._say("prune", f"warning: {error}")


def _switch_current(release: str) -> None:
    """One rename: there is always a current release."""
    fresh = layout.ROOT / ".current"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path("releases") / release)
    os.replace(fresh, layout.CURRENT)
