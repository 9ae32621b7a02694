"""What an activation leaves to go back by, and what goes back. An imitated engine; the kill harness has a whole one."""

import contextlib
import errno
import io
import json
import tempfile
import unittest
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import activation, boot, collation, compose, execution, interruption, journal, layout, lifecycle, made, maintenance, predecessor, record, settling, undo, wayback
from geoclic_server.compose import Container
from geoclic_server.execution import Activation
from geoclic_server.failure import Failure
from geoclic_server.journal import Journal
from geoclic_server.maintenance import Marker
from geoclic_server.process import Result
from geoclic_server.record import Kept, Record

RELEASE: dict[str, Any] = {
    "id": "b" * 12, "project": "deploy", "adapter": {"tls": {"service": "nginx"}, "ingress": {"service": "nginx"}},
    "services": {"db": {"stateful": True, "ingress": False, "drainSeconds": 1}, "api": {"stateful": False, "ingress": False, "drainSeconds": 1}},
}


class Engine:
    """Docker, as far as containers go. `refused`: verbs that answer with an error and change nothing; `down`: commands that nobody answers yet."""

    def __init__(self) -> None:
        self.containers: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.refused: set[str] = set()
        self.down = 0

    def add(self, identity: str, service: str, status: str = "running", restart: str = "unless-stopped", folder: str = str(layout.SHARED), volumes: Sequence[str] = (),
            exits: int = 0) -> None:
        self.containers[identity] = {"service": service, "status": status, "restart": restart, "folder": folder, "volumes": volumes, "exits": exits}

    def states(self) -> dict[str, str]:
        return {identity: each["status"] for identity, each in self.containers.items()}

    def run(self, words: Sequence[str], **_options: Any) -> Result:
        self.asked.append(" ".join(words))
        if words[0] == "docker" and self.down > 0:
            self.down -= 1
            return Result(1, "", "Cannot connect to the Docker daemon. Is the docker daemon running?")
        if words[:2] == ["docker", "compose"]:
            return Result(1, "", "no Compose in this test")
        verb, names = words[1], [word for word in words[2:] if word in self.containers]
        if words[0] != "docker":
            return Result(1, "", "not here")
        if verb in self.refused:
            return Result(1, "", f"Error response from daemon: cannot {verb} container: did not receive an exit event")
        if verb == "ps":
            volume = next((word.removeprefix("volume=") for word in words if word.startswith("volume=")), None)
            found = [identity for identity, each in self.containers.items()
                     if volume is None or (volume in each["volumes"] and each["status"] == "running")]
            return Result(0, "\n".join(found), "")
        if verb == "inspect":
            return Result(0 if names else 1, json.dumps([self._inspected(name) for name in names]), "" if names else "Error: No such container: x")
        for name in names:
            one = self.containers[name]
            if verb == "start":
                one["status"] = "exited" if one["exits"] > 0 else "running"
                one["exits"] -= 1
            elif verb == "stop":
                one["status"] = "exited"
            elif verb == "rm":
                del self.containers[name]
            elif verb == "update":
                one["restart"] = words[words.index("--restart") + 1]
        return Result(0, "", "")

    def _inspected(self, name: str) -> dict[str, Any]:
        one = self.containers[name]
        labels = {"com.docker.compose.service": one["service"], "com.docker.compose.project.working_dir": one["folder"], "com.docker.compose.config-hash": "h"}
        health = {"Health": {"Status": "healthy"}} if one["status"] == "running" else {}
        return {"Id": name, "Created": name[-1], "Config": {"Image": "x", "Labels": labels}, "State": {"Status": one["status"], "Pid": one.get("pid", 1) if one["status"] == "running" else 0, **health},
                "HostConfig": {"RestartPolicy": {"Name": one["restart"]}}, "Mounts": [{"Type": "volume", "Name": volume} for volume in one["volumes"]]}


class EngineTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.engine, self.said = Engine(), io.StringIO()
        for module in (compose, lifecycle):
            self._patch(module, "run", self.engine.run)
        for module, name in ((record, "_PATH"), (maintenance, "_MARKER"), (collation, "_MARKER"), (journal, "_PATH"), (journal, "_HISTORY"),
                             (layout, "STATUS"), (layout, "CURRENT")):
            self._patch(module, name, self.root / f"{module.__name__}{name}")
        self._patch(lifecycle.time, "sleep", lambda _seconds: None)
        quiet = contextlib.redirect_stdout(self.said)
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)
        interruption.deafen()

    def _patch(self, target: Any, name: str, value: Any) -> None:
        patch = mock.patch.object(target, name, value)
        patch.start()
        self.addCleanup(patch.stop)

    def _find(self, identity: str) -> Container:
        found = compose.find_container(identity)
        assert found
        return found

    def _go(self, services: dict[str, Kept], **options: Any) -> wayback.WayBack:
        way = wayback.WayBack(Record("b" * 12, "a" * 12, "x", "y", services), RELEASE, lambda *_words: None, **{"is_public": False, **options})
        way.go([*services])
        return way


class LifeTest(EngineTest):
    def test_a_stop_that_did_not_happen_is_a_failure(self) -> None:
        self.engine.add("a1", "api")
        self.engine.refused = {"stop"}
        with self.assertRaises(Failure) as caught:
            lifecycle.stop(1, self._find("a1"))
        self.assertEqual(caught.exception.code, "STOP_FAILED")

    def test_a_removal_that_did_not_happen_is_a_failure(self) -> None:
        self.engine.add("a1", "api")
        self.engine.refused = {"rm"}
        with self.assertRaises(Failure):
            lifecycle.remove(self._find("a1"))

    def test_nobody_is_taken_for_gone_while_docker_does_not_answer(self) -> None:
        self.engine.refused = {"inspect", "stop"}
        self.engine.add("a1", "api")
        with self.assertRaises(Failure) as caught:
            compose.find_container("a1")
        self.assertEqual(caught.exception.code, "DOCKER_DOWN")

    def test_two_never_run_on_one_volume(self) -> None:
        self.engine.add("d1", "db", volumes=["data"])
        self.engine.add("d2", "db", status="created", volumes=["data"])
        with self.assertRaises(Failure) as caught:
            lifecycle.start_alone(self._find("d2"))
        self.assertEqual((caught.exception.code, self.engine.states()["d2"]), ("VOLUME_IN_USE", "created"))
        self.engine.containers["d1"]["status"] = "exited"
        lifecycle.start_alone(self._find("d2"))
        self.assertEqual(self.engine.states()["d2"], "running")

    def test_an_unproven_one_that_exits_early_is_started_again_and_not_for_ever(self) -> None:
        self.engine.add("a1", "api", status="exited", restart="no", exits=2)
        lifecycle.await_healthy(self._find("a1"))
        self.engine.add("a2", "api", status="exited", restart="no", exits=9)
        with self.assertRaises(Failure) as caught:
            lifecycle.await_healthy(self._find("a2"))
        self.assertIn("exited after 3 restarts", caught.exception.cause)

    def test_who_may_write_is_all_but_data_and_ingress_of_whatever_release(self) -> None:
        for identity, service, status in (("d1", "db", "running"), ("a1", "api", "running"), ("a2", "api", "exited"), ("x1", "gone", "restarting")):
            self.engine.add(identity, service, status)
        self.assertEqual([one.id for one in lifecycle.writers(RELEASE)], ["a1", "x1"])

    def test_a_project_of_the_same_name_is_somebody_elses(self) -> None:
        self.engine.add("d1", "db")
        self.engine.add("d2", "db", folder="/srv/other/deploy")
        self.assertEqual([one.id for one in compose.containers("deploy")], ["d1"])
        self.assertEqual([one.id for one in compose.everybodys("deploy")], ["d1", "d2"])


class WayBackTest(EngineTest):
    def test_the_noted_containers_run_again_without_compose(self) -> None:
        self.engine.add("d1", "db", status="exited", volumes=["data"])
        self.engine.add("d2", "db", restart="no", volumes=["data"])
        self.engine.add("a1", "api", status="exited")
        self.engine.add("a2", "api", restart="no")
        self.engine.add("n2", "new", restart="no")
        way = self._go({"db": Kept(("d1",), True, False, 1), "api": Kept(("a1",), False, False, 1), "new": Kept((), False, False, 1)})
        self.assertEqual((way.errors, self.engine.states()), ([], {"d1": "running", "a1": "running"}))
        self.assertFalse([each for each in self.engine.asked if each.startswith("docker compose")])

    def test_each_is_tried_when_another_one_fails(self) -> None:
        self.engine.add("a1", "api", status="exited", exits=99)
        self.engine.add("s1", "sig", status="exited")
        self.engine.add("s2", "sig", restart="no")
        way = self._go({"gone": Kept(("g1",), False, False, 1), "api": Kept(("a1",), False, False, 1), "sig": Kept(("s1",), False, False, 1)})
        self.assertEqual([error.split(":")[0] for error in way.errors], ["gone", "api"])
        self.assertEqual(self.engine.states(), {"a1": "exited", "s1": "running"})

    def test_what_runs_in_the_place_of_one_that_is_gone_stays(self) -> None:
        self.engine.add("a2", "api", restart="no")
        way = self._go({"api": Kept(("a1",), False, False, 1)})
        self.assertEqual((len(way.errors), self.engine.states()), (1, {"a2": "running"}))

    def test_a_database_that_does_not_stop_is_not_joined_by_another(self) -> None:
        self.engine.add("d1", "db", status="exited", volumes=["data"])
        self.engine.add("d2", "db", restart="no", volumes=["data"])
        self.engine.refused = {"stop"}
        way = self._go({"db": Kept(("d1",), True, False, 1)})
        self.assertEqual((len(way.errors), self.engine.states()), (1, {"d1": "exited", "d2": "running"}))

    def test_the_ingress_first_the_data_last_while_the_town_serves(self) -> None:
        services = {"db": Kept(("d1",), True, False, 1), "api": Kept(("a1",), False, False, 1), "nginx": Kept(("n1",), False, True, 1)}
        self.assertEqual(wayback.all_of(Record("b" * 12, None, "x", "y", services), []), ["nginx", "api", "db"])


class RecordTest(EngineTest):
    def test_what_a_cut_run_noted_stays_the_way_back(self) -> None:
        first = record.begin(Record("b" * 12, "a" * 12, "x", "y", {"api": Kept(("a1",), False, False, 30)}))
        second = record.begin(Record("c" * 12, "a" * 12, "x", "y", {"api": Kept(("a2",), False, False, 30), "new": Kept(("n1",), False, False, 30)}))
        self.assertEqual((second.services, second.release), (first.services, "c" * 12))
        self.assertEqual(record.opened(), second)

    def test_a_committed_one_is_no_way_back(self) -> None:
        record.begin(Record("b" * 12, "a" * 12, "x", "y", {}))
        record.commit()
        self.assertIsNone(record.opened())
        self.assertEqual(record.begin(Record("c" * 12, "b" * 12, "x", "y", {})).former, "b" * 12)

    def test_a_cut_commit_is_completed_and_an_open_one_goes_back(self) -> None:
        record.begin(Record("b" * 12, "a" * 12, "x", "y", {}))
        with mock.patch.object(settling, "complete") as complete, mock.patch.object(settling.undo, "go_back", return_value=["x"]) as go_back:
            self.assertEqual(settling.put_back(), ["x"])
            go_back.assert_called_once()
            record.commit()
            settling.put_back()
            complete.assert_called_once()


    def test_a_boot_starts_a_committed_release_though_its_commit_cannot_be_completed(self) -> None:
        """On a full disk `current` leads to the former one still, which may not fit the database any more."""
        record.begin(Record("b" * 12, "a" * 12, "x", "y", {}))
        record.commit()
        layout.CURRENT.symlink_to("releases/" + "a" * 12)
        self._patch(layout, "read_release", lambda identity: {**RELEASE, "id": identity})
        self._patch(boot, "_take_turn", lambda _held: True)
        started = mock.Mock(return_value=[])
        self._patch(boot, "_start_down", started)
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch.object(settling, "complete", side_effect=full), mock.patch.object(settling, "settle", return_value=[]):
            boot.start()
        self.assertEqual(started.call_args.args[0]["id"], "b" * 12)

    def test_a_cut_commit_stands_for_the_environment_that_was_proven(self) -> None:
        """It is completed by the next run, before which `write-env` may have written another one."""
        for name in ("ENVIRONMENT", "PROVEN_ENVIRONMENT", "RUNNING_ENVIRONMENT"):
            self._patch(layout, name, self.root / name)
        self._patch(layout, "PUBLIC", self.root)
        self._patch(layout, "read_release", lambda _id: {**RELEASE, "adapter": {**RELEASE["adapter"], "health": {"path": "/"}}})
        self._patch(made, "plugin_version", lambda: "2.26")
        self._patch(made, "config_hashes", lambda _release, environment=None: {"api": (environment or layout.ENVIRONMENT).read_text()})
        self.engine.add("a1", "api")
        layout.ENVIRONMENT.write_text("h")
        layout.prove_environment()
        record.begin(Record("b" * 12, "a" * 12, "x", "y", {}))
        noted = record.commit()
        assert noted
        layout.ENVIRONMENT.write_text("another")
        with mock.patch.object(layout, "switch", side_effect=OSError), self.assertRaises(OSError):
            settling.complete(noted)
        settling.complete(noted)
        self.assertEqual(layout.running_environment().read_text(), "h")
        # Nobody is taken to run the environment that was only written.
        self.assertEqual([each.config_hash for each in made.present(RELEASE)], ["h"])


class SortingTest(EngineTest):
    def test_indexes_that_could_not_be_rebuilt_are_rebuilt_by_the_next_one_who_goes_back(self) -> None:
        """The former database runs by then, and nothing of its containers is to be put back any more."""
        for target, name, value in ((undo, "Database", mock.Mock()), (undo.files, "place_static", mock.Mock()), (layout, "read_release", lambda _id: RELEASE)):
            self._patch(target, name, value)
        self.engine.add("d1", "db", status="exited")
        self.engine.add("d2", "db", restart="no")
        noted = record.begin(Record("b" * 12, "a" * 12, "x", "y", {"db": Kept(("d1",), True, False, 1)}))
        with mock.patch.object(collation, "put_right", side_effect=Failure("COLLATION_CHANGED", "database", "no space", "x")):
            self.assertEqual(undo.go_back(noted, lambda *_words: None), ["sorting: no space (COLLATION_CHANGED)"])
        self.assertEqual(self.engine.states(), {"d1": "running"})
        with mock.patch.object(collation, "put_right") as put_right:
            self.assertEqual(settling.put_back(lambda *_words: None), [])
        put_right.assert_called_once()
        self.assertIsNone(record.read())


class CommitTest(EngineTest):
    def test_a_commit_that_cannot_be_written_is_undone_at_once(self) -> None:
        for target, name, value in ((layout, "prove_environment", mock.Mock()), (execution, "Database", mock.Mock()), (execution.collation, "put_right", mock.Mock()),
                                    (execution.files, "place_static", mock.Mock()), (execution.predecessor, "is_here", lambda: False), (settling, "complete", mock.Mock())):
            self._patch(target, name, value)
        for name in ("_prepare", "_settle_maintenance", "_migrate", "_identity", "_gate", "_compare"):
            self._patch(Activation, name, mock.Mock())
        undone: list[Failure] = []
        self._patch(Activation, "_undone", lambda _self, failure: (undone.append(failure), Failure("UNDONE", "x", "y", "z"))[1])
        record.begin(Record("b" * 12, "a" * 12, "x", "y", {}))
        full = OSError(errno.ENOSPC, "No space left on device")
        with mock.patch.object(layout, "write", side_effect=full), self.assertRaises(Failure) as caught:
            Activation(mock.Mock(), RELEASE, "ville.fr", "ville").run()
        self.assertEqual((caught.exception.code, [each.code for each in undone]), ("UNDONE", ["DISK_FULL"]))


class JoinTest(EngineTest):
    def test_a_run_that_began_with_another_environment_is_not_joined(self) -> None:
        """It may be past its gate: its end would be taken for that of the environment just written."""
        self._patch(layout, "ENVIRONMENT", self.root / "env")
        self._patch(layout, "read_release", lambda _id: RELEASE)
        self._patch(activation, "_TURN", self.root / "turn")
        going_on = False
        self._patch(activation, "_is_going_on", lambda: going_on)
        self._patch(activation, "run", lambda *_words: Result(0, "", ""))
        layout.ENVIRONMENT.write_text("A=1")
        activation.start("ville", "b" * 12, "ville.fr")
        going_on = True
        activation.start("ville", "b" * 12, "ville.fr")
        self.assertIn("going on already", self.said.getvalue())
        layout.ENVIRONMENT.write_text("A=2")
        with self.assertRaises(Failure) as caught:
            activation.start("ville", "b" * 12, "ville.fr")
        self.assertEqual(caught.exception.code, "BUSY")


class DumpTest(EngineTest):
    """A clock that was ahead has left names that are newer."""

    def setUp(self) -> None:
        super().setUp()
        self.activation = Activation.__new__(Activation)
        self.activation._id, self.activation._say = "b" * 12, lambda *_words: None
        self.database = mock.Mock()
        self.database.dump.side_effect = lambda path, _step: path.touch()

    def test_the_dump_that_is_the_way_back_is_none_of_those_that_go(self) -> None:
        self._patch(layout, "BACKUPS", self.root)
        for day in (1, 2, 3):
            (self.root / f"before-{'a' * 12}-2099010{day}T000000Z.dump").touch()
        self.assertTrue(self.activation._dump(self.database).exists())

    def test_an_adoption_keeps_its_first_dump_and_the_one_just_made(self) -> None:
        self._patch(predecessor, "KEPT", self.root)
        self._patch(predecessor, "make_folder", lambda: None)
        for day in (1, 2):
            (self.root / f"before-adoption-2099010{day}T000000Z.dump").touch()
        self.activation._keep_dump(self.database)
        left = sorted(path.name for path in self.root.glob("*.dump"))
        self.assertEqual((left[0] < "before-adoption-2099", left[1:]), (True, ["before-adoption-20990101T000000Z.dump"]))


class MarkerTest(EngineTest):
    def setUp(self) -> None:
        super().setUp()
        self.flag = self.root / ".maintenance"
        self.page = mock.Mock(flag=self.flag)

    def test_a_marker_is_there_before_anything_and_keeps_its_dump(self) -> None:
        self.assertEqual(maintenance.begin("b" * 12, self.page), Marker("b" * 12, None, str(self.flag)))
        maintenance.hold(Path("/x/before.dump"))
        self.assertEqual(maintenance.begin("b" * 12, self.page).dump, "/x/before.dump")
        with self.assertRaises(Failure):
            maintenance.begin("c" * 12, self.page)
        maintenance.brought_back()
        self.assertEqual(maintenance.begin("c" * 12, self.page).dump, None)

    def test_a_page_whose_database_was_not_changed_goes_by_itself(self) -> None:
        layout.STATUS.write_text(json.dumps({"page": str(self.flag)}))
        for name, dump, is_left in (("leftover", False, False), ("marked", None, False), ("changed", "/x.dump", True)):
            with self.subTest(name):
                self.flag.touch()
                if dump is not False:
                    maintenance.begin("b" * 12, self.page)
                if dump:
                    maintenance.hold(Path(dump))
                self.assertEqual(settling.put_back(), [])
                self.assertEqual((self.flag.exists(), maintenance.opened() is not None), (is_left, is_left))

    def test_a_page_of_scripts_that_noted_neither_page_nor_marker_goes_too(self) -> None:
        running = {**RELEASE, "adapter": {**RELEASE["adapter"], "health": {"path": "/"}, "ingress": {"service": "nginx", "maintenance": "/srv/.maintenance"}}}
        described = {"services": {"nginx": {"volumes": [{"type": "bind", "source": str(self.root), "target": "/srv"}]}}}
        layout.STATUS.write_text(json.dumps({"running": "b" * 12, "former": None, "domain": "x"}))
        layout.CURRENT.symlink_to("releases/" + "b" * 12)
        self._patch(layout, "read_release", lambda _id: running)
        self._patch(maintenance, "configuration", lambda _release, _environment=None: described)
        for name, marker in (("page alone", None), ("marked", {"release": "c" * 12, "dump": None})):
            with self.subTest(name):
                self.flag.touch()
                if marker:
                    maintenance._MARKER.write_text(json.dumps(marker))
                self.assertEqual(settling.put_back(), [])
                self.assertEqual((self.flag.exists(), maintenance.opened()), (False, None))

    def test_what_the_public_may_have_written_is_kept_for_people(self) -> None:
        """Such scripts took the page off before their commit, and a run that was cut then left the marker with its dump."""
        self._patch(undo, "Database", mock.Mock())
        self._patch(undo.lifecycle, "writers", lambda _release: [])
        for name, page, holds_writes in (("of these scripts", str(self.flag), False), ("of former ones", None, True)):
            with self.subTest(name), mock.patch.object(undo, "restore") as restore:
                told = {"release": "c" * 12, "dump": "/x.dump", **({"page": page} if page else {})}
                maintenance._MARKER.write_text(json.dumps(told))
                undo.bring_back(RELEASE, Path("/x.dump"), lambda *_words: None)
                self.assertEqual(restore.call_args.kwargs["holds_writes"], holds_writes)

    def test_a_way_back_of_such_scripts_shows_the_town_again(self) -> None:
        layout.STATUS.write_text(json.dumps({"running": "b" * 12, "former": None, "domain": "x"}))
        layout.CURRENT.symlink_to("releases/" + "b" * 12)
        maintenance._MARKER.write_text(json.dumps({"release": "c" * 12, "dump": "/x.dump"}))
        self.flag.touch()
        self._patch(layout, "read_release", lambda _id: RELEASE)
        self._patch(maintenance, "Page", lambda *_words: self.page)
        maintenance.end()
        self.assertFalse(self.flag.exists())

    def test_the_dump_of_a_running_release_is_never_brought_back(self) -> None:
        maintenance.begin("b" * 12, self.page)
        maintenance.hold(Path("/x.dump"))
        self.assertTrue(settling.undo.is_held())
        layout.CURRENT.symlink_to("releases/" + "b" * 12)
        self.assertFalse(settling.undo.is_held())


class ComposeVersionTest(unittest.TestCase):
    def test_what_did_not_change_is_told_by_the_running_releases_own_configuration(self) -> None:
        def one(service: str, label: str) -> Container:
            return Container(service, service, label, "x", "running", "", "", 0, "1", "", ())

        noted = {"version": "2.23", "services": {"api": {"label": "old-api", "hash": "old-api"}, "db": {"label": "older-db", "hash": "old-db"}}}
        found = [one("api", "old-api"), one("db", "older-db"), one("sig", "s"), one("api", "made just now")]
        for name, version, hashes, expected in [
            ("another Compose", "2.29", {"api": "new-api", "db": "new-db"}, ["new-api", "new-db", "s", "made just now"]),
            ("the same", "2.23", made.noted_hashes(noted), ["old-api", "old-db", "s", "made just now"]),
            ("none that answers", "", {"api": "x"}, ["old-api", "older-db", "s", "made just now"]),
            ("its configuration cannot be read", "2.29", None, ["old-api", "older-db", "s", "made just now"]),
        ]:
            with self.subTest(name):
                told = made.translated(found, noted, version, lambda hashes=hashes: hashes)  # type: ignore[misc]
                self.assertEqual([each.config_hash for each in told], expected)


class CollationTest(EngineTest):
    def _database(self, differing: list[list[str]], fails: str = "") -> mock.Mock:
        answers = {"server_version": [["t"]], "datcollversion": differing, "FROM pg_database WHERE datallowconn": [["town"], ["postgres"]]}
        database = mock.Mock()
        database.query.side_effect = lambda sql: next(answer for part, answer in answers.items() if part in sql)
        database.program.side_effect = lambda *words, name: Result(1 if fails and fails in words[-1] else 0, "", "could not create unique index")
        return database

    def test_indexes_are_rebuilt_when_the_rules_differ_and_not_else(self) -> None:
        database = self._database([])
        collation.put_right(database, lambda *_words: None)
        database.program.assert_not_called()
        database = self._database([["town", "2.36", "2.41"]])
        collation.put_right(database, lambda *_words: None)
        self.assertEqual([call.args[-1] for call in database.program.call_args_list],
                         ['ALTER DATABASE "town" REFRESH COLLATION VERSION', 'REINDEX DATABASE "town"'])

    def test_a_rebuild_that_was_cut_is_done_again_though_the_versions_agree(self) -> None:
        with self.assertRaises(Failure):
            collation.put_right(self._database([["town", "2.36", "2.41"]], fails="REINDEX"), lambda *_words: None)
        database = self._database([])
        collation.put_right(database, lambda *_words: None)
        self.assertEqual(database.program.call_count, 2)
        database.program.reset_mock()
        collation.put_right(database, lambda *_words: None)
        database.program.assert_not_called()


class JournalTest(EngineTest):
    def test_what_cannot_be_noted_is_done_all_the_same(self) -> None:
        written = Journal("r", "b" * 12)
        with mock.patch.object(journal.os, "open", side_effect=OSError(28, "No space left on device")), \
                mock.patch.object(layout, "write", side_effect=OSError(28, "No space left on device")):
            written.step("undo", "as before")
            written.end(None)
        self.assertIn("undo: as before", self.said.getvalue())
