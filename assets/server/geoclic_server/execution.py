"""One activation: checks, database, services, gate, commit; undone when it fails, and proven healthy then."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from . import (boot, certificate, collation, detour, files, first, handover, interruption, layout, lifecycle, made, maintenance, migrating, predecessor,
               preflight, pruning, record, replacement, services, settling, town, undo)
from .adoption import Adoption
from .database import Database
from .failure import Failure, known
from .journal import Journal
from .maintenance import Page
from .migrations import pending
from .record import Record
from .restoration import check_space, drop_replaced
from .retention import expired_dumps

_GATE_SECONDS = 60
_IDLE_SECONDS = 30
_STEP = "activation"


class Activation:
    def __init__(self, written: Journal, release: dict[str, Any], domain: str, client: str) -> None:
        self._say, self._release, self._domain, self._client = written.step, release, domain, client
        self._id: str = release["id"]
        self._suite = layout.release_folder(self._id) / "suite"
        self._running = layout.running_release()
        self._began = time.monotonic()
        self._is_adoption = predecessor.is_here()
        self._page: Page | None = None

    def run(self) -> None:
        self._carry_on()
        rollout, is_behind_page, noted = self._bring()
        settling.complete(noted)
        if is_behind_page:
            self._prove_in_public()
        # The release runs: what fails from here on is told, and tried again by the monitor.
        for what, part in (("former containers", rollout.finish), ("replaced database", self._drop_replaced), ("detour", partial(detour.consolidate, self._release)), ("unit", partial(boot.install, self._client)),
                           ("prune", partial(pruning.prune, self._release, self._say))):
            self._warned(what, part)
        self._say(_STEP, f"{self._id} runs, after {time.monotonic() - self._began:.1f} s")

    def _carry_on(self) -> None:
        """A commit that was cut is carried to its end first."""
        noted = record.read()
        if noted and noted.committed:
            settling.complete(noted)
            self._running, self._is_adoption = layout.running_release(), predecessor.is_here()

    def _bring(self) -> tuple[services.Rollout, bool, Record]:
        """Everything until the commit; what was changed is put back when it fails. True: the public sees the 503 page."""
        try:
            rollout = self._prepare()
            database = Database(self._release)
            database.start()
            self._settle_maintenance(database)
            if not self._is_adoption:
                collation.put_right(database, self._say)
            self._migrate(database, rollout)
            before = self._identity(database)
            if self._is_adoption:
                self._begin_adoption()
            files.place_static(self._release, self._suite)
            if rollout.exchange_data():
                database.start()
                collation.put_right(database, self._say)
            rollout.run()
            layout.prove_environment()
            self._gate()
            self._compare(before)
            is_behind_page = maintenance.opened() is not None
            if self._running is None:
                # From the commit on a reboot brings this release up, whatever of it is done.
                self._warned("unit", partial(boot.install, self._client))
            return rollout, is_behind_page, self._commit()
        except Exception as error:
            raise self._undone(known(error, _STEP)) from error

    def _prepare(self) -> services.Rollout:
        preflight.check(self._release, self._suite)
        interruption.check()
        is_first = self._running is None and not self._is_adoption and not layout.STATUS.exists()
        if is_first:
            first.begin_afresh(self._release, self._say)
        handover.settle(self._release)
        files.place_binds(self._release, self._suite)
        files.place_logs(self._release)
        self._page = Page(self._release, self._domain)
        if changed := made.change_of_version():
            self._say("services", changed)
        rollout = services.Rollout(self._release, self._say)
        self._note_way_back(rollout)
        if is_first:
            first.note_volumes(self._release)
        return rollout

    def _note_way_back(self, rollout: services.Rollout) -> None:
        """On disk before the first thing is changed."""
        found = made.present(self._release)
        if self._is_adoption:
            found = [container for container in found if predecessor.is_its(container)]
        former = (layout.read_json(layout.release_folder(self._running) / "release.json") or {}) if self._running else {}
        running = former.get("services", {})
        described = {**self._release["services"], **running}
        kept = replacement.way_back(described, rollout.hashes, found, {service: rules["image"] for service, rules in running.items()})
        record.begin(Record(self._id, self._running, self._domain, self._client, kept))

    def _settle_maintenance(self, database: Database) -> None:
        """What an interrupted run changed behind the page is this run's own, or goes back."""
        marker = maintenance.opened()
        if marker is None or marker.release == self._id:
            return
        if marker.release == self._running:
            maintenance.end()
        elif marker.dump:
            undo.bring_back(self._release, Path(marker.dump), self._say)
            database.start()

    def _migrate(self, database: Database, rollout: services.Rollout) -> None:
        is_first = database.is_empty()
        if is_first:
            self._initialise(database)
        first.end()
        applied = database.applied()
        if applied is None and self._is_adoption:
            self._adopt(database)
            applied = database.applied()
        elif self._is_adoption and not is_first:
            # It was cut, and the town has served since.
            self._keep_dump(database)
        if applied is None:
            raise migrating.no_ledger()
        known = database.read_migrations(self._suite)
        migrating.refuse_older(database, known, applied, layout.kept_breaking())
        to_run, altered = pending(known, applied)
        for name in altered:
            self._say("migrations", f"warning: {name} was applied with another content; it is not run again")
        breaking = self._breaking([migration.name for migration in to_run], is_first)
        if breaking or maintenance.opened():
            self._begin_maintenance(database, breaking)
        elif not is_first and not self._is_adoption and (to_run or services.to_change(self._release)):
            self._dump(database)
        if not self._is_adoption and to_run and rollout.exchange_data():
            # They may need what only the release's own image has.
            database.start()
            collation.put_right(database, self._say)
        for migration in to_run:
            interruption.check()
            began = time.monotonic()
            notes = migrating.migrate(database, migration)
            self._say("migrations", f"{migration.name} in {time.monotonic() - began:.1f} s" + (f", {notes}" if notes else ""))

    def _initialise(self, database: Database) -> None:
        if layout.STATUS.exists() or self._running:
            raise Failure("DATABASE_EMPTY", "database", f"{database.name} has no table, and this town has run before",
                          "find its volume (`docker volume ls`) or restore a backup (runbook restore.md): nothing is initialised in the place of a town's data.")
        began = time.monotonic()
        migrating.initialise(database, self._suite)
        self._say("database", f"was empty, initialised in {time.monotonic() - began:.1f} s")

    def _begin_maintenance(self, database: Database, breaking: list[str]) -> None:
        """The public sees the page, nobody writes any more, and a dump is there that a failure brings back."""
        if self._page is None or not self._page.exists:
            if breaking:
                self._dump(database)
            return
        if breaking:
            # A way back that cannot be walked is none.
            check_space(database)
        marker = maintenance.begin(self._id, self._page)
        self._page.show()
        writing = lifecycle.writers(self._release)
        lifecycle.drain(writing, _IDLE_SECONDS)
        # Whoever writes by himself too, jobs and pools: what came between dump and migrations would be lost on the way back.
        lifecycle.stop(_IDLE_SECONDS, *writing)
        self._say("maintenance", "the 503 page is shown" + (f", for {', '.join(breaking)}" if breaking else ", as it was when a run was cut"))
        if marker.dump is None and breaking:
            maintenance.hold(self._dump(database))

    def _adopt(self, database: Database) -> None:
        """A ledger for a database that has none, once it is dumped."""
        self._keep_dump(database)
        adoption = Adoption(database, self._say)
        plans = adoption.plan(self._suite)
        self._breaking([each.migration.name for each in plans if each.verdict != "present"], is_first=False)
        adoption.carry_out(plans)

    def _begin_adoption(self) -> None:
        """From here on a reboot goes on with this release's containers, not with the predecessor's unit."""
        predecessor.begin(self._id)
        boot.install(self._client)
        certificate.own_challenges()

    def _breaking(self, names: list[str], is_first: bool) -> list[str]:
        """Those that change what a running release reads: the former one could not run with them, this one does not wholly without."""
        breaking = [name for name in names if name in self._release["adapter"]["database"]["breaking"]]
        if is_first or not (self._is_adoption or self._running):
            return []
        if breaking and (self._is_adoption or (self._running != self._id and not (self._page and self._page.exists))):
            raise Failure("MIGRATION_BREAKING", "migrations", f"{', '.join(breaking)} cannot run while the former release serves",
                          "split it into additive steps, or name the file that switches the 503 page on in the adapter (ingress.maintenance); an adoption never runs one.")
        return breaking

    def _keep_dump(self, database: Database) -> None:
        """Beside the former installation, for good: the first one, and the newest of later attempts."""
        predecessor.make_folder()
        made_before = sorted(predecessor.KEPT.glob("before-adoption-*.dump"))
        self._dump_to(database, layout.free_place(predecessor.KEPT, "before-adoption", ".dump"))
        for between in made_before[1:]:
            between.unlink()

    def _dump_to(self, database: Database, path: Path) -> Path:
        began = time.monotonic()
        size = database.dump(path, "dump")
        self._say("dump", f"{path.name}, {size} bytes, verified, in {time.monotonic() - began:.1f} s")
        return path

    def _dump(self, database: Database) -> Path:
        path = self._dump_to(database, layout.free_place(layout.BACKUPS, f"before-{self._id}", ".dump"))
        marker = maintenance.opened()
        # This one too: a clock that was ahead has left names that are newer.
        kept = {path.name, *([Path(marker.dump).name] if marker and marker.dump else [])}
        for old in expired_dumps([path.name for path in layout.BACKUPS.iterdir()], kept):
            (layout.BACKUPS / old).unlink()
        return path

    def _identity(self, database: Database) -> tuple[str, set[str]]:
        """Which database it is, and what its ledger has."""
        return database.query("SELECT system_identifier FROM pg_control_system()")[0][0], set(database.applied() or {})

    def _compare(self, before: tuple[str, set[str]]) -> None:
        """The services use the very database that was migrated."""
        after = self._identity(Database(self._release).attach())
        if after[0] != before[0] or before[1] - after[1]:
            lacking = ", ".join(sorted(before[1] - after[1])) or "nothing"
            raise Failure("DATABASE_SWAPPED", "gate", f"the database that runs now is {after[0]}, the one that was migrated is {before[0]}; its ledger lacks {lacking}",
                          "the release's database has another volume: give it the former one's name in the compose file.")

    def _gate(self) -> None:
        """From inside: every service runs the release and is healthy, and the suite's own rule holds through the ingress, over TLS."""
        if maintenance.opened():
            # They were stopped: an ingress that ran on knows where they were before.
            detour.relearn(self._release)
            self._await_none(self._problem_behind_page)
            return
        self._await_none(self._problem)
        self._tell_gate()

    def _tell_gate(self) -> None:
        path = self._release["adapter"]["health"]["path"]
        self._say("gate", f"{len(self._release['services'])} services on {self._id}, https://{self._domain}{path} healthy")

    def _prove_in_public(self) -> None:
        """The page is gone, and with it the way back: the public writes again."""
        self._say("maintenance", "the 503 page is gone")
        try:
            self._await_none(self._problem)
        except Failure as failure:
            raise Failure(failure.code, failure.step, f"{failure.cause}; {self._id} is the running release all the same: its migration is done, and the town writes by it",
                          "correct the suite and run again with a new release; the runbook breaking-migration.md tells how to go back and what is lost then.") from failure
        self._tell_gate()

    def _problem_behind_page(self) -> str | None:
        """The public still sees it: each service's own check, and that the ingress answers."""
        wrong = services.unhealthy(self._release)
        if wrong:
            return f"not on this release or not healthy: {', '.join(wrong)}"
        is_shown = self._page is None or not self._page.is_on or self._page.is_shown()
        return None if is_shown else "the ingress does not show the 503 page"

    def _problem(self) -> str | None:
        wrong = services.to_change(self._release)
        return f"not on this release or not running: {', '.join(wrong)}" if wrong else self._health_problem()

    def _health_problem(self) -> str | None:
        return town.health_problem(self._domain, self._release["adapter"]["health"])

    @staticmethod
    def _await_none(look: Callable[[], str | None]) -> None:
        """Raises Failure HEALTH_FAILED when there is still a problem after a minute."""
        end = time.monotonic() + _GATE_SECONDS
        while (problem := look()) is not None:
            interruption.check()
            if time.monotonic() > end:
                raise Failure("HEALTH_FAILED", "gate", problem, "read the logs of the service named, correct it, then run again.")
            time.sleep(0.5)

    def _undone(self, failure: Failure) -> Failure:
        """Puts back what was changed. An additive schema stays, which the former release runs on; one changed behind the page goes back."""
        interruption.deafen()
        if (found := record.read()) and found.committed:
            # What failed came after its word: it is completed, by the monitor at the latest, and never undone.
            return failure
        if self._is_adoption:
            return self._given_back(failure)
        noted = record.opened()
        if self._running is None:
            # Nothing ran before: the next run begins afresh.
            record.close()
            return failure
        try:
            if noted:
                lifecycle.await_engine()
                if errors := undo.go_back(noted, self._say):
                    raise Failure("UNDO_FAILED", failure.step, "; ".join(errors), "")
                self._await_none(self._health_problem)
            elif self._health_problem() is not None:
                # Nothing was changed: what the town is now is not this run's doing.
                return failure
        except Exception as second:
            return Failure("UNDO_FAILED", failure.step, f"{failure.cause} ({failure.code}); and {self._running} did not come back whole: {known(second, _STEP).cause}",
                           "look at `docker ps -a` on the server now: the town may be down. It is tried again at each look of the monitor.")
        return Failure(failure.code, failure.step, f"{failure.cause}; {self._running} serves on", failure.action)

    def _given_back(self, failure: Failure) -> Failure:
        """The former installation serves as before, whichever run replaced something of it; the next one begins afresh."""
        noted = record.opened()
        if noted is None or predecessor.opened() is None:
            record.close()
            return Failure(failure.code, failure.step, f"{failure.cause}; nothing of the former installation was touched", failure.action)
        try:
            lifecycle.await_engine()
            errors = undo.go_back(noted, self._say)
            predecessor.give_back()
            # A ledger that stays is no harm where nobody migrates by himself.
            with suppress(Failure):
                Database(self._release).attach().forget_ledger()
            if errors:
                raise Failure("UNDO_FAILED", failure.step, "; ".join(errors), "")
        except Exception as second:
            return Failure("UNDO_FAILED", failure.step, f"{failure.cause} ({failure.code}); and the former installation did not come back whole: {known(second, _STEP).cause}",
                           f"look at `docker ps -a` on the server now: the town may be down; `docker compose up -d` in {predecessor.FOLDER} starts it.")
        return Failure(failure.code, failure.step, f"{failure.cause}; the former installation serves on", failure.action)

    def _commit(self) -> Record:
        """Once it is noted the release is the running one, whatever happens; what cannot be noted is undone."""
        interruption.deafen()
        noted = record.commit()
        if noted is None:
            raise Failure("DEFECT", _STEP, "the note of the way back is gone", "report this: it is a defect of the tool.")
        return noted

    def _drop_replaced(self) -> None:
        drop_replaced(Database(self._release).attach(), self._say)

    def _warned(self, what: str, part: Callable[[], object]) -> None:
        try:
            part()
        except Exception as error:
            self._say(_STEP, f"warning: {what}: {known(error, _STEP).cause}; the monitor tries it again")
