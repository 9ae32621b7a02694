"""What an activation refuses, whom it waits for and who is kept out meanwhile. The database and systemd are answered for."""

import contextlib
import threading
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import activation, boot, execution, files, layout, lifecycle, lock, preflight, record, undo
from geoclic_server.execution import Activation
from geoclic_server.failure import Failure
from geoclic_server.process import Result

from .test_way_back import RELEASE, EngineTest

STATEFUL: dict[str, Any] = {"services": {"db": {"volumes": [{"type": "volume", "source": "data"}]}}, "volumes": {"data": {"name": "deploy_renamed"}}}


class RunTest(EngineTest):
    def setUp(self) -> None:
        super().setUp()
        self.activation = Activation.__new__(Activation)
        self.activation._id, self.activation._release, self.activation._running = "b" * 12, RELEASE, "a" * 12
        self.activation._say, self.activation._is_adoption, self.activation._suite, self.activation._page = lambda *_words: None, False, self.root, None
        self.clock = 0.0
        self._patch(lifecycle.time, "monotonic", self.tick)

    def tick(self) -> float:
        self.clock += 1
        return self.clock


class DataTest(RunTest):
    """An empty place is not taken for a new one."""

    def database(self, identity: str, *applied: str) -> mock.Mock:
        found = mock.Mock()
        found.query.return_value, found.applied.return_value = [[identity]], dict.fromkeys(applied, "sha")
        found.attach.return_value = found
        return found

    def test_an_empty_database_of_a_town_that_ran_is_not_initialised(self) -> None:
        database = mock.Mock()
        database.is_empty.return_value = True
        for name, status, running in (("its state is there", True, None), ("its release is there", False, "a" * 12)):
            with self.subTest(name), mock.patch.object(execution.migrating, "initialise") as initialise:
                layout.STATUS.unlink(missing_ok=True)
                if status:
                    layout.STATUS.write_text("{}")
                self.activation._running = running
                with self.assertRaises(Failure) as caught:
                    self.activation._migrate(database, mock.Mock())
                self.assertEqual((caught.exception.code, initialise.call_count), ("DATABASE_EMPTY", 0))

    def test_a_database_that_is_another_one_behind_the_rollout_is_never_committed(self) -> None:
        before = self.database("7", "(init)", "001.sql")
        for name, after, lacks in (("another cluster", self.database("8"), "(init), 001.sql"), ("a former state of it", self.database("7", "(init)"), "001.sql"),
                                   ("its copy", self.database("8", "(init)", "001.sql"), "nothing")):
            with self.subTest(name), contextlib.ExitStack() as patches:
                answers = iter([before, after])
                for target, attribute, value in (
                    (execution, "Database", lambda _release, answers=answers: next(answers)), (execution.collation, "put_right", mock.Mock()),
                    (files, "place_static", mock.Mock()), (layout, "prove_environment", mock.Mock()), (Activation, "_prepare", mock.Mock()),
                    (Activation, "_migrate", mock.Mock()), (Activation, "_gate", mock.Mock()), (Activation, "_undone", lambda _self, failure: failure),
                ):
                    patches.enter_context(mock.patch.object(target, attribute, value))
                commit = patches.enter_context(mock.patch.object(Activation, "_commit"))
                with self.assertRaises(Failure) as caught:
                    self.activation._bring()
                self.assertEqual((caught.exception.code, commit.call_count), ("DATABASE_SWAPPED", 0))
                self.assertIn(f"its ledger lacks {lacks}", caught.exception.cause)

    def test_a_release_that_gives_the_data_another_volume_changes_nothing(self) -> None:
        self.engine.add("d1", "db", volumes=["deploy_data"])
        (self.root / "env").touch()
        (self.root / "tls").mkdir()
        for name in ("tls/fullchain.pem", "tls/privkey.pem", "init.sql"):
            (self.root / name).touch()
        release = {**RELEASE, "binds": [], "static": [], "adapter": {"database": {"init": "init.sql"}},
                   "services": {"db": {"image": "geoclic/db:1", "stateful": True}}}
        for target, attribute, value in ((layout, "ENVIRONMENT", self.root / "env"), (layout, "TLS", self.root / "tls"), (files, "check_space", mock.Mock()),
                                         (preflight, "images", lambda: {"geoclic/db:1"}), (preflight, "configuration", lambda _release: STATEFUL)):
            self._patch(target, attribute, value)
        with self.assertRaises(Failure) as caught:
            preflight.check(release, self.root)
        self.assertEqual(caught.exception.code, "VOLUME_CHANGED")
        self.assertIn("deploy_data, the release gives it deploy_renamed", caught.exception.cause)
        self.engine.containers["d1"]["volumes"] = ["deploy_renamed"]
        preflight.check(release, self.root)


class EngineDownTest(RunTest):
    """Docker dies in the midst of an update; systemd starts it again after a moment."""

    def test_going_back_waits_until_docker_answers(self) -> None:
        self.engine.down = 20
        record.begin(record.Record("b" * 12, "a" * 12, "x", "y", {}))
        seen: list[int] = []
        self._patch(undo, "go_back", lambda _noted, _say: seen.append(self.engine.down) or [])
        self._patch(Activation, "_health_problem", lambda _self: None)
        told = self.activation._undone(Failure("DOCKER_DOWN", "services", "Cannot connect", "look."))
        self.assertEqual((told.code, seen), ("DOCKER_DOWN", [0]))
        self.assertIn("serves on", told.cause)

    def test_one_that_stays_down_is_told_and_the_way_back_stays_noted(self) -> None:
        self.engine.down = 10_000
        record.begin(record.Record("b" * 12, "a" * 12, "x", "y", {}))
        told = self.activation._undone(Failure("DOCKER_DOWN", "services", "Cannot connect", "look."))
        self.assertEqual(told.code, "UNDO_FAILED")
        self.assertIsNotNone(record.opened())

    def test_a_run_that_failed_calls_the_unit_that_looks_again(self) -> None:
        said: list[str] = []
        self._patch(activation, "run", lambda words: said.append(" ".join(words)) or Result(0, "", ""))
        self._patch(activation, "operation", lambda *_words: contextlib.nullcontext())
        self._patch(activation.interruption, "listen", lambda: None)
        self._patch(layout, "read_release", lambda _id: RELEASE)
        for failure, expected in ((Failure("UNDO_FAILED", "x", "y", "z"), ["systemctl start --no-block geoclic.service"]), (None, [])):
            said.clear()
            with self.subTest(failure), mock.patch.object(activation, "Activation") as made, contextlib.suppress(Failure):
                made.return_value.run.side_effect = failure
                activation._run("1", "b" * 12, "ville.fr", "ville")
            self.assertEqual(said, expected)

    def test_that_unit_waits_for_the_end_of_the_run_and_not_for_a_backup(self) -> None:
        self._patch(lock, "_PATH", self.root / "lock")
        for name, status, ends_after, expected in (("a backup goes on", 3, 0, False), ("the run ends", 0, 100, True), ("the monitor looks", 3, 5, True)):
            with self.subTest(name), contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
                theirs.enter_context(lock.operation("another"))
                left = [ends_after]

                def ask(words: list[str], left: list[int] = left, theirs: contextlib.ExitStack = theirs, status: int = status) -> Result:
                    left[0] -= 1
                    if left[0] == 0:
                        theirs.close()
                    return Result(status, "", "")
                with mock.patch.object(boot, "run", ask):
                    self.assertEqual(boot._take_turn(ours), expected)
        with lock.operation("one without an end"), contextlib.ExitStack() as ours, mock.patch.object(boot, "run", lambda _words: Result(0, "", "")), \
                self.assertRaises(Failure) as caught:
            boot._take_turn(ours)
        # It fails, so that systemd starts it again.
        self.assertEqual(caught.exception.code, "BUSY")


class FirstTest(RunTest):
    """A power cut behind the commit of the very first activation, before `current` leads anywhere."""

    def test_the_unit_is_there_before_the_commit(self) -> None:
        for running, expected in ((None, ["unit", "commit"]), ("a" * 12, ["commit"])):
            done: list[str] = []
            with self.subTest(running), contextlib.ExitStack() as patches:
                for target, attribute, value in (
                    (execution, "Database", mock.Mock()), (files, "place_static", mock.Mock()), (layout, "prove_environment", mock.Mock()),
                    (execution.collation, "put_right", mock.Mock()), (execution.boot, "install", lambda _client, done=done: done.append("unit")),
                    *((Activation, name, mock.Mock()) for name in ("_prepare", "_settle_maintenance", "_migrate", "_identity", "_gate", "_compare")),
                    (Activation, "_commit", lambda _self, done=done: done.append("commit")),
                ):
                    patches.enter_context(mock.patch.object(target, attribute, value))
                self.activation._running, self.activation._client = running, "ville"
                self.activation._bring()
            self.assertEqual(done, expected)

    def test_a_boot_goes_on_from_the_commit(self) -> None:
        unit = (Path(boot.__file__).parent.parent / "units/geoclic.service").read_text()
        self.assertIn("ConditionPathExists=|/opt/geoclic/shared/state/rollout.json\n", unit)
        record.begin(record.Record("b" * 12, None, "x", "y", {}))
        for target, attribute, value in ((boot.certificate, "at_boot", mock.Mock()), (boot, "_take_turn", lambda _held: True), (boot.predecessor, "opened", lambda: None),
                                         (layout, "read_release", lambda identity: {**RELEASE, "id": identity}), (boot.settling, "settle", lambda: [])):
            self._patch(target, attribute, value)
        with mock.patch.object(boot, "_start_down", return_value=[]) as started, mock.patch.object(boot.settling, "complete") as complete:
            boot.start()
            self.assertEqual((started.call_count, complete.call_count), (0, 0))
            record.commit()
            boot.start()
            self.assertEqual((started.call_args.args[0]["id"], complete.call_count), ("b" * 12, 1))

    def test_a_unit_that_was_left_without_its_link_gets_it(self) -> None:
        said: list[str] = []
        is_enabled = False

        def systemctl(words: list[str]) -> Result:
            said.append(" ".join(words[1:]))
            return Result(0 if words[1] != "is-enabled" or is_enabled else 1, "", "")
        self._patch(boot, "_SYSTEMD", self.root)
        self._patch(boot, "run", systemctl)
        self._patch(boot.systemd, "run", systemctl)
        boot.install("ville")
        said.clear()
        boot.install("ville")
        self.assertIn("enable --quiet geoclic.service", said)
        is_enabled = True
        said.clear()
        boot.install("ville")
        self.assertEqual(said, ["is-enabled --quiet geoclic.service"])


class BreakingTest(RunTest):
    """Of files that a running release does not stand: behind the page, also where its own are lacking after a restore."""

    def test_behind_the_page_wherever_a_release_runs(self) -> None:
        ours, other = RELEASE["id"], "c" * 12
        self.activation._release = {**RELEASE, "adapter": {"database": {"breaking": ["2"]}}}
        for name, running, has_page, is_adoption, expected in (
            ("nothing ran", None, True, False, []), ("another release runs", other, True, False, ["2"]), ("its own are lacking", ours, True, False, ["2"]),
            ("its own, without a page", ours, False, False, ["2"]), ("another runs, without a page", other, False, False, None), ("an adoption", None, True, True, None),
        ):
            with self.subTest(name):
                self.activation._running, self.activation._is_adoption = running, is_adoption
                self.activation._page = mock.Mock(exists=has_page)
                if expected is None:
                    with self.assertRaises(Failure) as caught:
                        self.activation._breaking(["1", "2"], False)
                    self.assertEqual(caught.exception.code, "MIGRATION_BREAKING")
                else:
                    self.assertEqual(self.activation._breaking(["1", "2"], False), expected)

    def test_without_a_page_there_is_a_dump_first(self) -> None:
        self.activation._page = mock.Mock(exists=False)
        with mock.patch.object(Activation, "_dump") as dump:
            self.activation._begin_maintenance(mock.Mock(), ["2"])
        self.assertEqual(dump.call_count, 1)


class TurnTest(EngineTest):
    def setUp(self) -> None:
        super().setUp()
        for target, name, value in ((layout, "ENVIRONMENT", self.root / "env"), (layout, "read_release", lambda _id: RELEASE), (activation, "_TURN", self.root / "turn")):
            self._patch(target, name, value)

    def test_two_who_begin_at_the_same_moment_are_one_after_the_other(self) -> None:
        is_going_on = False
        codes: list[str] = []

        def begin(words: list[str]) -> Result:
            nonlocal is_going_on
            threading.Event().wait(0.2)
            is_going_on = True
            return Result(0, "", "")

        def start(release: str) -> None:
            try:
                activation.start("ville", release, "ville.fr")
                codes.append("")
            except Failure as failure:
                codes.append(failure.code)
        self._patch(activation, "_is_going_on", lambda: is_going_on)
        self._patch(activation, "run", begin)
        threads = [threading.Thread(target=start, args=(letter * 12,)) for letter in "bc"]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(sorted(codes), ["", "BUSY"])

    def test_who_follows_a_run_is_not_told_the_end_of_another_one(self) -> None:
        begin = {"kind": "begin", "release": "b" * 12}
        looks = iter([[{**begin, "run": "1"}], [{**begin, "run": "2"}, {"kind": "end", "outcome": "succeeded", "run": "2"}]])
        self._patch(activation.journal, "entries", lambda: next(looks))
        self._patch(activation, "_is_going_on", lambda: True)
        with self.assertRaises(Failure) as caught:
            activation.follow("b" * 12)
        self.assertEqual(caught.exception.code, "ACTIVATION_UNKNOWN")


class InsideTest(EngineTest):
    def test_the_network_is_that_of_the_process_of_now(self) -> None:
        """A number that was the ingress's may be another's by now: rules would be put into that one's network, or the server's own."""
        self.engine.add("n1", "nginx")
        self.engine.containers["n1"]["pid"] = 7
        before = self._find("n1")
        self.engine.containers["n1"]["pid"] = 9
        lifecycle.inside(before, "nft", "list", "tables")
        self.assertEqual(self.engine.asked[-1], "nsenter --net=/proc/9/ns/net nft list tables")
        self.engine.containers["n1"]["status"] = "exited"
        self.assertEqual(lifecycle.inside(before, "nft", "list", "tables").status, 127)
        self.assertNotIn("nsenter", self.engine.asked[-1])
        del self.engine.containers["n1"]
        self.assertEqual(lifecycle.inside(before, "nft", "list", "tables").status, 127)
