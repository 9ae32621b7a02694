"""Makes a delivered release the running one: checks, database, services, gate, commit; undone when it fails.

`start` puts `run` under systemd, so that a lost connection does not stop it; `follow` shows its journal to the end.
"""

import argparse
import fcntl
import json
import os
import secrets
import shutil
import ssl
import time
from datetime import datetime, timezone
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

from . import boot, files, layout, services
from . import command as frame
from .compose import CONFIG_HASH, config_hashes, containers, health_of, images, service_of
from .database import Database
from .failure import Failure, one_line, say
from .journal import PATH, Journal, entries, trim
from .migrations import pending
from .process import run

UNIT = "geoclic-activate"
_RUN = layout.STATE / "activation-run.json"
_STATUS = layout.STATE / "activation.json"
_LOCK = layout.STATE / "activation.lock"
_GATE_SECONDS = 60
_KEPT_DUMPS = 3


def command() -> None:
    frame.main("activate", _options, _work)


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verb", choices=["start", "follow", "run", "status", "undo"])
    parser.add_argument("--release")
    parser.add_argument("--domain")
    parser.add_argument("--run", help="id of a run, made by start")
    parser.add_argument("--json", action="store_true")


def _work(options: frame.Options) -> None:
    layout.make_folders()
    match options.verb:
        case "start":
            start(options.client, _given(options.release, "--release"), _given(options.domain, "--domain"))
        case "follow":
            follow(_given(options.release, "--release"))
        case "run":
            activate(options.client, _given(options.release, "--release"), _given(options.domain, "--domain"), options.run or "by-hand")
        case "undo":
            undo(options.client, _given(options.domain, "--domain"))
        case "status":
            print(json.dumps(status()))


def _given(value: str | None, option: str) -> str:
    if not value:
        raise Failure("INPUT_INVALID", "activation", f"{option} is needed", "call it as the program does.")
    return value


def start(client: str, release: str, domain: str) -> None:
    """Begins a run in the background. One that goes on for the same release is joined; another is waited for."""
    layout.read_release(release)
    going_on = layout.read_json(_RUN) or {}
    if run(["systemctl", "is-active", "--quiet", UNIT]).status == 0:
        if going_on.get("release") == release:
            say("activation", "is going on already")
            return
        raise Failure("ACTIVATION_BUSY", "activation", f"release {going_on.get('release')} is being activated here",
                      "wait for its end, then run again.")
    run_id = secrets.token_hex(4)
    layout.write(_RUN, json.dumps({"run": run_id, "release": release}), 0o600)
    program = os.path.realpath(layout.SCRIPTS / "run.py")
    begun = run(["systemd-run", f"--unit={UNIT}", "--collect", "--property=KillMode=mixed", "python3", "-B", program, "activate", "run",
                 "--client", client, "--release", release, "--domain", domain, "--run", run_id])
    if begun.status != 0:
        raise Failure("ACTIVATION_NOT_STARTED", "activation", begun.said, "look at systemd on the server.")


def follow(release: str) -> None:
    """Shows the run from its beginning to its end and ends as it does."""
    wanted = layout.read_json(_RUN) or {}
    if wanted.get("release") != release:
        raise Failure("ACTIVATION_UNKNOWN", "activation", f"no run for {release} was begun here", "run `pulumi up` again.")
    shown, quiet_since = 0, time.monotonic()
    while True:
        lines = [entry for entry in entries() if entry.get("run") == wanted["run"]]
        for entry in lines[shown:]:
            if entry["kind"] == "end":
                _end(entry)
                return
            print(f"{entry['step']}: {entry['text']}", flush=True)
            quiet_since = time.monotonic()
        shown = len(lines)
        if time.monotonic() - quiet_since > 5 and run(["systemctl", "is-active", "--quiet", UNIT]).status != 0:
            # The end may have been written between the two looks.
            if not any(entry["kind"] == "end" for entry in entries() if entry.get("run") == wanted["run"]):
                raise Failure("ACTIVATION_INTERRUPTED", "activation", "it ended without a word (reboot, or killed)",
                              "run `pulumi up` again: it goes on.")
        time.sleep(0.3)


def _end(entry: dict[str, Any]) -> None:
    if entry["outcome"] != "done":
        raise Failure(entry["code"], entry["step"], entry["text"], entry["next"])
    print(f"{entry['step']}: {entry['text']}", flush=True)


def activate(client: str, release_id: str, domain: str, run_id: str) -> None:
    """The work itself."""
    with _LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failure("ACTIVATION_BUSY", "activation", "another activation holds the lock", "wait for its end.") from error
        trim()
        journal = Journal(PATH, release_id, run_id)
        PATH.touch(mode=0o600)
        began = time.time()
        try:
            _Activation(client, journal, release_id, domain).run()
        except Failure as failure:
            _finish(journal, release_id, began, failure)
            raise
        except Exception as error:
            failure = Failure("DEFECT", "activation", f"{type(error).__name__}: {error}", "report this: it is a defect of the tool.")
            _finish(journal, release_id, began, failure)
            raise
        _finish(journal, release_id, began, None)


def _finish(journal: Journal, release: str, began: float, failure: Failure | None) -> None:
    end = {"release": release, "startedAt": began, "endedAt": time.time(), "outcome": "failed" if failure else "done"}
    if failure:
        end |= {"code": failure.code, "step": failure.step, "cause": one_line(failure.cause), "next": failure.action}
    known = layout.read_json(_STATUS) or {}
    layout.write(_STATUS, json.dumps({**known, "last": end}), 0o600)
    if failure:
        journal.note("end", failure.step, one_line(failure.cause), outcome="failed", code=failure.code, next=failure.action)
    else:
        journal.note("end", "activation", f"{release} runs, {time.time() - began:.1f} s", outcome="done")


class _Activation:
    def __init__(self, client: str, journal: Journal, release_id: str, domain: str) -> None:
        self._client, self._journal, self._domain = client, journal, domain
        self._release = layout.read_release(release_id)
        self._suite = layout.release_folder(release_id) / "suite"
        self._former = layout.running_release()

    def run(self) -> None:
        self._check()
        files.place_binds(self._release, self._suite)
        files.place_logs(self._release)
        database = Database(self._release)
        database.start()
        self._migrate(database)
        replacement = services.Replacement(self._release, self._journal.step)
        try:
            files.place_static(self._release, self._suite)
            self._replace(replacement)
            self._gate()
        except Failure as failure:
            raise self._undone(failure, replacement) from failure
        self._commit()
        boot.install(self._client)
        self._prune()

    def _check(self) -> None:
        if not layout.ENVIRONMENT.exists():
            raise Failure("ENVIRONMENT_MISSING", "preflight", f"{layout.ENVIRONMENT} is missing", "run `pulumi up` again: it writes it.")
        if not (layout.TLS / "fullchain.pem").exists():
            raise Failure("CERTIFICATE_MISSING", "preflight", "there is no certificate", "run `pulumi up` again: it asks for one.")
        files.check_space()
        present = images()
        missing = [s["image"] for s in self._release["services"].values() if s["image"] not in present]
        if missing:
            raise Failure("IMAGE_MISSING", "preflight", f"{', '.join(missing)} not here", "run `pulumi up` again: it delivers them.")

    def _migrate(self, database: Database) -> None:
        is_first = database.is_empty()
        if is_first:
            self._journal.step("database", "empty: init and migrations")
            database.initialise(self._suite)
        applied = database.applied()
        if applied is None:
            raise Failure("DATABASE_FOREIGN", "database", "it has tables, but no ledger of migrations",
                          "this database was not made by the tool: adopt the server first.")
        to_run, altered = pending(database.read_migrations(self._suite), applied)
        for name in altered:
            self._journal.step("migrations", f"warning: {name} was applied with another content; it is not run again")
        if not is_first and (to_run or services.to_change(self._release)):
            self._dump(database)
        for migration in to_run:
            began = time.monotonic()
            notes = database.migrate(migration)
            self._journal.step("migrations", f"{migration.name} {time.monotonic() - began:.1f} s{f' ({notes})' if notes else ''}")

    def _dump(self, database: Database) -> None:
        name = f"before-{self._release['id']}-{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.dump"
        size = database.dump(layout.BACKUPS / name)
        self._journal.step("dump", f"{name}, {size} bytes, verified")
        for old in sorted(layout.BACKUPS.glob("before-*.dump"), key=lambda path: path.stat().st_mtime)[:-_KEPT_DUMPS]:
            old.unlink()

    def _replace(self, replacement: services.Replacement) -> None:
        names = services.to_change(self._release)
        if names:
            self._journal.step("services", f"to change: {', '.join(names)}")
        replacement.run(names)

    def _gate(self) -> None:
        """From inside: every container is the release's and healthy, and the suite's own rule holds through the ingress."""
        hashes = config_hashes(self._release)
        end = time.monotonic() + _GATE_SECONDS
        while True:
            problem = self._container_problem(hashes) or self._health_problem()
            if problem is None:
                self._journal.step("gate", f"{len(hashes)} containers healthy")
                return
            if time.monotonic() > end:
                raise Failure("NOT_HEALTHY", "gate", problem, "read the logs of the service named, correct it, then run again.")
            time.sleep(0.5)

    def _container_problem(self, hashes: dict[str, str]) -> str | None:
        found = containers(self._release["project"])
        for service, wanted in hashes.items():
            own = [container for container in found if service_of(container) == service]
            if len(own) != 1:
                return f"{service} has {len(own)} containers"
            if own[0]["Config"]["Labels"].get(CONFIG_HASH) != wanted:
                return f"{service} runs another configuration"
            if health_of(own[0]) not in ("healthy", "running"):
                return f"{service} is {health_of(own[0])}"
        return None

    def _health_problem(self) -> str | None:
        rule = self._release["adapter"]["health"]
        context = ssl.create_default_context()
        context.check_hostname = False
        # This very machine; the proof from outside verifies the certificate.
        context.verify_mode = ssl.CERT_NONE
        connection = HTTPSConnection("127.0.0.1", 443, timeout=5, context=context)
        try:
            connection.request("GET", rule["path"], headers={"Host": self._domain})
            answer = connection.getresponse()
            body = answer.read(100_000)
            value = json.loads(body).get(rule["field"])
        except (OSError, HTTPException, ValueError, AttributeError) as error:
            return f"{rule['path']}: {type(error).__name__}: {error}"
        finally:
            connection.close()
        return None if value == rule["equals"] else f"{rule['path']}: {rule['field']} is {value!r}: {body.decode(errors='replace')[:300]}"

    def _undone(self, failure: Failure, replacement: services.Replacement) -> Failure:
        """Brings what was touched back to the former release; the schema stays, which the former one runs on."""
        if self._former is None or self._former == self._release["id"] or not replacement.touched:
            return failure
        self._journal.step("undo", f"back to {self._former}: {', '.join(replacement.touched)}")
        try:
            former = layout.read_release(self._former)
            files.place_static(former, layout.release_folder(self._former) / "suite")
            names = services.to_change(former)
            services.Replacement(former, self._journal.step).run(names)
        except Failure as second:
            return Failure("UNDO_FAILED", failure.step,
                           f"{failure.cause}; and the former release {self._former} did not come back: {second.cause}",
                           "the town is not whole: look at `docker ps -a` on the server now.")
        return Failure(failure.code, failure.step, f"{failure.cause}; undone: {self._former} serves", failure.action)

    def _commit(self) -> None:
        release = self._release["id"]
        switch_current(release)
        known = layout.read_json(_STATUS) or {}
        former = self._former if self._former not in (None, release) else known.get("former")
        layout.write(_STATUS, json.dumps({**known, "running": release, "former": former}), 0o600)
        shown = {"release": release, "activatedAt": datetime.now(timezone.utc).isoformat(timespec="seconds")}
        present = layout.read_json(layout.PUBLIC / "release.json") or {}
        if present.get("release") != release:
            layout.write(layout.PUBLIC / "release.json", json.dumps(shown) + "\n")

    def _prune(self) -> None:
        known = layout.read_json(_STATUS) or {}
        kept = {known.get("running"), known.get("former")}
        by_age = sorted(layout.RELEASES.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        others = [path for path in by_age if path.name not in kept]
        # One more, for whoever compares.
        for path in others[1:]:
            shutil.rmtree(path)
        _prune_images_and_binds([path.name for path in layout.RELEASES.iterdir()])


def _prune_images_and_binds(releases: list[str]) -> None:
    """Removes images and configurations that no kept release names."""
    described = [value for value in (layout.read_json(layout.RELEASES / name / "release.json") for name in releases) if value]
    wanted = {service["image"] for value in described for service in value["services"].values()}
    ours = {image.split(":")[0] for image in wanted}
    for image in images() - wanted:
        if image.split(":")[0] in ours:
            run(["docker", "image", "rm", image])
    hashes = {bind["hash"] for value in described for bind in value["binds"]}
    for folder in layout.BINDS.iterdir():
        if folder.name not in hashes:
            shutil.rmtree(folder)


def switch_current(release: str) -> None:
    """One rename: there is always a current release."""
    fresh = layout.ROOT / ".current"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path("releases") / release)
    os.replace(fresh, layout.CURRENT)


def undo(client: str, domain: str) -> None:
    """Back to the former release: images and code; migrations are additive and stay."""
    former = (layout.read_json(_STATUS) or {}).get("former")
    if not former:
        raise Failure("NO_FORMER_RELEASE", "undo", "there is no former release here", "pin a release in the stack file instead.")
    activate(client, former, domain, secrets.token_hex(4))


def status() -> dict[str, Any]:
    known = layout.read_json(_STATUS) or {}
    return {"running": layout.running_release(), "former": known.get("former"), "last": known.get("last")}
