"""One activation: checks, database, services, gate, commit; undone when it fails, and proven healthy then."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import boot, certificate, files, handover, interruption, layout, lifecycle, maintenance, migrating, predecessor, preflight, pruning, services, town
from .adoption import Adoption
from .compose import containers
from .database import Database
from .detour import consolidate
from .failure import Failure, known
from .journal import Journal
from .maintenance import Page
from .migrations import pending
from .restoration import restore
from .retention import STAMP, expired_dumps

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
        rollout = self._bring()
        interruption.deafen()
        self._commit()
        rollout.finish()
        consolidate(self._release)
        boot.install(self._client)
        pruning.prune(self._release, self._say)
        self._say(_STEP, f"{self._id} runs, after {time.monotonic() - self._began:.1f} s")

    def _bring(self) -> services.Rollout:
        """Everything until the gate is passed; what was changed is put back when it fails."""
        rollout: services.Rollout | None = None
        try:
            self._prepare()
            rollout = services.Rollout(self._release, self._say)
            if self._is_adoption:
                self._begin_adoption()
            files.place_static(self._release, self._suite)
            rollout.run()
            self._gate()
        except Exception as error:
            raise self._undone(known(error, _STEP), rollout) from error
        return rollout

    def _prepare(self) -> None:
        preflight.check(self._release, self._suite)
        interruption.check()
        handover.settle(self._release)
        files.place_binds(self._release, self._suite)
        files.place_logs(self._release)
        self._page = Page(self._release, self._domain)
        database = Database(self._release)
        database.start()
        self._settle_maintenance()
        self._migrate(database)

    def _settle_maintenance(self) -> None:
        """What an interrupted run changed behind the page is this run's own, or goes back."""
        changed = maintenance.opened()
        if changed and changed[0] == self._running:
            maintenance.close()
        elif changed and changed[0] != self._id:
            self._bring_back(changed[1])

    def _migrate(self, database: Database) -> None:
        is_first = database.is_empty()
        if is_first:
            began = time.monotonic()
            migrating.initialise(database, self._suite)
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
        known = database.read_migrations(self._suite)
        migrating.refuse_older(database, known, applied, layout.kept_breaking())
        to_run, altered = pending(known, applied)
        for name in altered:
            self._say("migrations", f"warning: {name} was applied with another content; it is not run again")
        breaking = self._breaking([migration.name for migration in to_run], is_first)
        if breaking:
            self._begin_maintenance(database, breaking)
        elif not is_first and not self._is_adoption and maintenance.opened() is None and (to_run or services.to_change(self._release)):
            self._dump(database)
        for migration in to_run:
            interruption.check()
            began = time.monotonic()
            notes = migrating.migrate(database, migration)
            self._say("migrations", f"{migration.name} in {time.monotonic() - began:.1f} s" + (f", {notes}" if notes else ""))

    def _begin_maintenance(self, database: Database, breaking: list[str]) -> None:
        """The public sees the page, nobody writes any more, and a dump is there that a failure brings back."""
        if self._page:
            self._page.show()
        serving = [one for one in containers(self._release["project"]) if one.is_running and one.service in self._release["services"]
                   and not self._release["services"][one.service]["stateful"] and not self._release["services"][one.service]["ingress"]]
        lifecycle.drain(serving, _IDLE_SECONDS)
        self._say("maintenance", f"the 503 page is shown, for {', '.join(breaking)}")
        maintenance.open_for(self._id, self._dump(database))

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
        """Those that the former release could not run with, where there is one."""
        breaking = [name for name in names if name in self._release["adapter"]["database"]["breaking"]]
        if is_first or not (self._is_adoption or self._running not in (None, self._id)):
            return []
        if breaking and (self._is_adoption or not (self._page and self._page.exists)):
            raise Failure("MIGRATION_BREAKING", "migrations", f"{', '.join(breaking)} cannot run while the former release serves",
                          "split it into additive steps, or name the file that switches the 503 page on in the adapter (ingress.maintenance); an adoption never runs one.")
        return breaking

    def _keep_dump(self, database: Database) -> None:
        """Beside the former installation, for good: the first one, and the newest of later attempts."""
        predecessor.make_folder()
        self._dump_to(database, predecessor.KEPT / f"before-adoption-{datetime.now(timezone.utc):{STAMP}}.dump")
        for between in sorted(predecessor.KEPT.glob("before-adoption-*.dump"))[1:-1]:
            between.unlink()

    def _dump_to(self, database: Database, path: Path) -> Path:
        began = time.monotonic()
        size = database.dump(path, "dump")
        self._say("dump", f"{path.name}, {size} bytes, verified, in {time.monotonic() - began:.1f} s")
        return path

    def _dump(self, database: Database) -> Path:
        path = self._dump_to(database, layout.BACKUPS / f"before-{self._id}-{datetime.now(timezone.utc):{STAMP}}.dump")
        for old in expired_dumps([path.name for path in layout.BACKUPS.iterdir()]):
            (layout.BACKUPS / old).unlink()
        return path

    def _gate(self) -> None:
        """From inside: every service runs the release and is healthy, and the suite's own rule holds through the ingress, over TLS."""
        rule = self._release["adapter"]["health"]
        if self._page and self._page.is_on:
            self._await_none(self._problem_behind_page)
            self._page.hide()
            self._say("maintenance", "the 503 page is gone")
        self._await_none(self._problem)
        self._say("gate", f"{len(self._release['services'])} services on {self._id}, https://{self._domain}{rule['path']} healthy")

    def _problem_behind_page(self) -> str | None:
        """The public still sees it: each service's own check, and that the ingress answers."""
        wrong = services.unhealthy(self._release)
        if wrong:
            return f"not on this release or not healthy: {', '.join(wrong)}"
        return None if self._page and self._page.is_shown() else "the ingress does not show the 503 page"

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

    def _undone(self, failure: Failure, rollout: services.Rollout | None) -> Failure:
        """Puts back what was changed. An additive schema stays, which the former release runs on; one changed behind the page goes back."""
        interruption.deafen()
        if self._is_adoption:
            return self._given_back(failure)
        if self._running in (None, self._id):
            return failure
        if rollout is None and maintenance.opened() is None and not (self._page and self._page.is_on):
            # Nothing was changed: what the town is now is not this run's doing.
            is_healthy = self._health_problem() is None
            return Failure(failure.code, failure.step, f"{failure.cause}; {self._running} serves on", failure.action) if is_healthy else failure
        try:
            self._undo(layout.read_release(str(self._running)), rollout)
        except Exception as second:
            return Failure("UNDO_FAILED", failure.step, f"{failure.cause} ({failure.code}); and {self._running} did not come back whole: {second}",
                           "look at `docker ps -a` on the server now: the town may be down.")
        return Failure(failure.code, failure.step, f"{failure.cause}; {self._running} serves on", failure.action)

    def _undo(self, former: dict[str, Any], rollout: services.Rollout | None) -> None:
        """Raises Failure unless the former release is healthy, seen through the ingress."""
        page, changed = Page(former, self._domain), maintenance.opened()
        if changed:
            page.put()
            self._bring_back(changed[1])
            # What an interrupted run replaced would not fit this database.
            rollout = rollout or services.Rollout(self._release, self._say)
        if rollout:
            files.place_static(former, layout.release_folder(former["id"]) / "suite")
            rollout.undo(former)
        page.hide()
        self._await_none(self._health_problem)

    def _bring_back(self, dump: Path) -> None:
        began = time.monotonic()
        restore(Database(self._release).attach(), dump)
        maintenance.close()
        self._say("restore", f"the database is as in {dump.name}, in {time.monotonic() - began:.1f} s")

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
        known = layout.read_json(layout.STATUS) or {}
        former = known.get("former") if self._running == self._id else self._running
        layout.write(layout.STATUS, json.dumps({"running": self._id, "former": former, "domain": self._domain}) + "\n", 0o600)
        if self._running != self._id:
            layout.switch(layout.CURRENT, Path("releases") / self._id)
        maintenance.close()
        shown = layout.PUBLIC / "release.json"
        if (layout.read_json(shown) or {}).get("release") != self._id:
            now = datetime.now(timezone.utc).isoformat(timespec="seconds")
            layout.write(shown, json.dumps({"release": self._id, "activatedAt": now}) + "\n")
