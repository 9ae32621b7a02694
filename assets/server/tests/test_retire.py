"""The end of a town's server: what is told of the last backup, the order of the end, doors that open again.

Not proven here: Docker, systemd and certbot; see test/lab for a whole server.
"""

import json
import os
import signal
import tempfile
import time
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import backup, layout, lock, retire
from geoclic_server.compose import Container
from geoclic_server.failure import Failure
from geoclic_server.process import Result

RELEASE: dict[str, Any] = {"id": "a" * 12, "project": "deploy", "services": {"db": {}, "api": {}, "nginx": {"ingress": True}}}


def container(service: str, status: str = "running") -> Container:
    return Container(f"id-{service}", service, "", "", status, "", "", 0, "2026-11-23T00:00:00Z", "", ())


@contextmanager
def server(found: list[Container], answers: dict[str, Result] | None = None) -> Iterator[tuple[Path, list[str]]]:
    """A server in a folder, whose programs are only noted down; a container that is removed is gone."""
    said: list[str] = []

    def run(words: list[str], **_: object) -> Result:
        said.append(" ".join(words))
        if words[:2] == ["docker", "rm"]:
            found[:] = [one for one in found if one.id != words[-1]]
        return (answers or {}).get(" ".join(words[:2]), Result(0, "", ""))

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("state", "units", "renewal"):
            (root / folder).mkdir()
        with mock.patch.multiple(retire, run=run, containers=lambda _project: list(found), _SYSTEMD=root / "units", _RENEWALS=root / "renewal"), \
                mock.patch.multiple(layout, STATE=root / "state", running_release=lambda: RELEASE["id"], read_release=lambda _id: RELEASE), \
                mock.patch("geoclic_server.lock._PATH", root / "state/lock"), mock.patch("builtins.print"):
            yield root, said


class StopTest(unittest.TestCase):
    def test_the_door_first_the_database_last_and_no_volume(self) -> None:
        with server([container("db"), container("nginx", "exited"), container("api"), container("x")]) as (root, said):
            retire.stop()
            removed = [line.split("id-")[1] for line in said if line.startswith("docker rm")]
            self.assertEqual(removed, ["x", "nginx", "api", "db"])
            self.assertFalse([line for line in said if "volume" in line or " -v" in line])
            self.assertTrue((root / "state/retired.json").exists())

    def test_our_units_go_others_stay_and_the_firewall_too(self) -> None:
        with server([]) as (root, said):
            for unit in (*retire._UNITS, "geoclic-firewall.service", "somebody.timer"):
                (root / "units" / unit).write_text("")
            (root / "renewal/ville.fr.conf").write_text(f"webroot_path = {layout.ACME},\n")
            (root / "renewal/blog.fr.conf").write_text("webroot_path = /var/www/blog,\n")
            retire.stop()
            self.assertEqual({path.name for path in (root / "units").iterdir()}, {"geoclic-firewall.service", "somebody.timer"})
            self.assertEqual({path.name for path in (root / "renewal").iterdir()}, {"ville.fr.conf.retired", "blog.fr.conf"})
            before = len([line for line in said if line.startswith("systemctl")])
            retire.stop()
            self.assertEqual(len([line for line in said if line.startswith("systemctl")]), before)

    def test_a_container_that_does_not_go_is_a_failure(self) -> None:
        with server([container("api")], {"docker rm": Result(1, "", "device busy")}) as (root, _), self.assertRaises(Failure) as caught:
            retire.stop()
        self.assertEqual(caught.exception.code, "CONTAINERS_STAY")
        self.assertFalse((root / "state/retired.json").exists())

    def test_a_town_that_was_opened_again_is_not_stopped(self) -> None:
        with server([container("nginx")]) as (root, said), self.assertRaises(Failure) as caught:
            retire.stop(is_closed=True)
        self.assertEqual((caught.exception.code, said), ("REOPENED", []))
        with server([container("nginx", "exited"), container("db")]) as (root, _):
            retire.stop(is_closed=True)
            self.assertTrue((root / "state/retired.json").exists())

    def test_nobody_opens_a_town_whose_end_has_begun(self) -> None:
        """The note may become too old at that very moment: what is written then would be in no backup."""
        with server([container("nginx", "exited")]) as (root, said):
            (root / "state/closing.json").write_text('{"doors": ["id-nginx"], "exportedAt": 1}')
            with mock.patch.object(retire, "_forget_units", lambda: self.assertFalse(retire.reopen_if_left())):
                retire.stop(is_closed=True)
        self.assertNotIn("docker start id-nginx", said)

    def test_one_that_is_gone_already_is_none(self) -> None:
        with server([container("api")], {"docker stop": Result(1, "", "Error: No such container: id-api")}):
            retire.stop()


class ExportTest(unittest.TestCase):
    def test_the_door_is_closed_before_the_backup(self) -> None:
        with server([container("db"), container("nginx")]) as (root, said):
            def back_up(_client: str) -> Path:
                said.append("backup")
                return _backup(root)
            with mock.patch.object(backup, "back_up", back_up):
                exported = retire.export("ville")
        self.assertEqual(said, ["docker stop -t 60 id-nginx", "backup"])
        self.assertEqual({key: exported[key] for key in ("folder", "tables", "rows", "photos")},
                         {"folder": "20261123T020000Z", "tables": 2, "rows": 12, "photos": 3})
        self.assertEqual([part["file"] for part in exported["files"]], ["database.dump", "photos.tar.gz", "manifest.json"])
        self.assertTrue(all(len(part["sha256"]) == 64 for part in exported["files"]))

    def test_whatever_ends_it_opens_the_door_again(self) -> None:
        def by_signal(_client: str) -> Path:
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(5)
            raise AssertionError("SIGHUP was not heard")

        disk_full = mock.Mock(side_effect=Failure("DISK_FULL", "backup", "no space", "free some."))
        for end, error in ((disk_full, Failure), (mock.Mock(side_effect=KeyboardInterrupt), KeyboardInterrupt), (by_signal, Failure)):
            for found, opened in (([container("nginx")], ["docker start id-nginx"]), ([container("nginx", "exited")], [])):
                with self.subTest(str(end)), server(found) as (root, said), mock.patch.object(backup, "back_up", end):
                    self.assertRaises(error, retire.export, "ville")
                    self.assertEqual([line for line in said if "start" in line], opened)
                    self.assertFalse((root / "state/closing.json").exists())

    def test_a_container_that_is_another_one_by_now(self) -> None:
        failing = mock.Mock(side_effect=Failure("DISK_FULL", "backup", "no space", "free some."))
        with server([container("nginx")], {"docker start": Result(1, "", "No such container")}), mock.patch.object(backup, "back_up", failing), \
                mock.patch("geoclic_server.boot.start") as start:
            self.assertRaises(Failure, retire.export, "ville")
            self.assertEqual(start.call_count, 1)


class LeftClosedTest(unittest.TestCase):
    def test_killed_in_the_middle(self) -> None:
        with server([container("nginx")]) as (root, said):
            (root / "state/closing.json").write_text('{"doors": ["id-nginx"]}')
            with lock.operation("an export", path=root / "state/closing.lock"):
                self.assertFalse(retire.reopen_if_left())
            self.assertTrue(retire.reopen_if_left())
            self.assertEqual(said, ["docker start id-nginx"])
            self.assertFalse(retire.reopen_if_left())

    def test_nobody_opens_a_door_that_an_activation_has_in_hand(self) -> None:
        with server([container("nginx")]) as (root, said), mock.patch.object(retire, "_LOOK_SECONDS", 0):
            (root / "state/closing.json").write_text('{"doors": ["id-nginx"]}')
            with lock.operation("activation of b"):
                self.assertFalse(retire.reopen_if_left())
                # An export that waited in vain for the activation to end.
                with mock.patch.object(backup, "back_up", side_effect=Failure("BUSY", "lock", "x", "y")), self.assertRaises(Failure):
                    retire.export("ville")
                self.assertNotIn("docker start id-nginx", said)
            self.assertTrue(retire.reopen_if_left())
            self.assertIn("docker start id-nginx", said)

    def test_exported_and_never_fetched(self) -> None:
        for age, is_opened in ((60, False), (13 * 3600, True), (-7200, True)):
            with self.subTest(age), server([container("nginx")]) as (root, _):
                (root / "state/closing.json").write_text(json.dumps({"doors": ["id-nginx"], "exportedAt": time.time() - age}))
                self.assertEqual(retire.reopen_if_left(), is_opened)

    def test_a_town_at_its_end_stays_closed(self) -> None:
        with server([container("nginx")]) as (root, said), mock.patch.object(backup, "back_up", lambda _client: _backup(root)):
            retire.export("ville")
            self.assertIn("exportedAt", json.loads((root / "state/closing.json").read_text()))
            self.assertFalse(retire.reopen_if_left())
            retire.stop()
            self.assertFalse((root / "state/closing.json").exists())
            self.assertFalse(retire.reopen_if_left())
            self.assertNotIn("docker start id-nginx", said)

    def test_what_does_not_start_is_tried_again(self) -> None:
        with server([container("nginx")], {"docker start": Result(1, "", "x")}) as (root, _), \
                mock.patch("geoclic_server.boot.start", side_effect=Failure("START_FAILED", "boot", "x", "y")):
            (root / "state/closing.json").write_text('{"doors": ["id-nginx"]}')
            self.assertRaises(Failure, retire.reopen_if_left)
            self.assertTrue((root / "state/closing.json").exists())


class NothingTest(unittest.TestCase):
    def test_without_a_release_there_is_nothing_to_back_up(self) -> None:
        with server([]), mock.patch.object(layout, "running_release", lambda: None), self.assertRaises(Failure) as caught:
            retire.export("ville")
        self.assertEqual(caught.exception.code, "NOT_ACTIVATED")


def _backup(root: Path) -> Path:
    folder = root / "20261123T020000Z"
    folder.mkdir()
    part = {"bytes": 1, "sha256": "a" * 64}
    manifest = {"createdAt": "2026-11-23T02:00:00+00:00", "database": {"file": "database.dump", **part, "tables": {"public.a": 10, "public.b": 2}},
                "files": {"file": "photos.tar.gz", **part, "count": 3}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


if __name__ == "__main__":
    unittest.main()
