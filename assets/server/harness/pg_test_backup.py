"""A whole backup against a real PostgreSQL, tar and du. Not proven here: Docker's volumes, a disk that is full."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import backup, database, drift, layout, maintenance, monitor, record, restore_command, undo
from geoclic_server.failure import Failure
from geoclic_server.lock import operation
from geoclic_server.migrations import Migration

from .pg_town import SUITE, PgTown

RELEASE: dict[str, Any] = {"id": "a" * 12, "version": "1", "project": "deploy", "adapter": {"database": SUITE, "files": {"volume": "photos"}}}


class BackupTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.town = PgTown()
        cls.addClassCleanup(cls.town.stop)

    def setUp(self) -> None:
        root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, root)
        self.photos, self.backups = root / "photos", root / "backups"
        for folder in (self.photos, self.backups, root / "state"):
            folder.mkdir()
        (self.photos / "1.jpg").write_bytes(b"x" * 1000)
        (root / "env").write_text("DB_PASSWORD=x\n")
        patches = ExitStack()
        self.addCleanup(patches.close)
        for patch in (
            mock.patch.multiple(layout, STATE=root / "state", BACKUPS=self.backups, RELEASES=root / "releases", ENVIRONMENT=root / "env",
                                running_release=lambda: RELEASE["id"], read_release=lambda _id: RELEASE),
            mock.patch.object(database, "container_of", lambda _project, _service: "db-1"),
            mock.patch.object(maintenance, "_MARKER", root / "state/maintenance.json"), mock.patch.object(record, "_PATH", root / "state/rollout.json"),
            mock.patch.object(backup, "_OUTCOME", root / "state/backup.json"), mock.patch("geoclic_server.lock._PATH", root / "state/lock"),
            mock.patch.dict(os.environ, GEOCLIC_PHOTOS=str(self.photos)), mock.patch("builtins.print"),
        ):
            patches.enter_context(patch)
        self.town.again()
        self.town.ask("create table t(i int)", "insert into t select generate_series(1, 300)", "create schema sig", "create table sig.p(i int) partition by range (i)",
                      "create table sig.p1 partition of sig.p for values from (0) to (9)", "insert into sig.p values (1), (2)", "create table parent(i int)",
                      "create table heir() inherits (parent)", "insert into heir values (1)", "create unlogged table u(i int)", "insert into u values (1)")

    def test_rows_of_the_snapshot_are_those_of_the_dump(self) -> None:
        folder = backup.back_up("ville")
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertEqual(manifest["database"]["tables"], {"public.heir": 1, "public.parent": 0, "public.t": 300, "public.u": 1, "sig.p1": 2})
        self.assertEqual((manifest["files"]["count"], sorted(os.listdir(folder))), (1, ["database.dump", "manifest.json", "photos.tar.gz"]))
        self.assertEqual(sorted(backup.complete()), [folder.name])
        last = backup.last_backup()
        assert last
        self.assertEqual((last["outcome"], last["newest"]["folder"]), ("succeeded", folder.name))

    def test_a_dump_that_lacks_rows_does_not_count(self) -> None:
        with cut_dump(), self.assertRaises(Failure) as caught:
            backup.back_up("ville")
        self.assertEqual(caught.exception.code, "BACKUP_UNREADABLE")
        self.assertEqual(list(self.backups.iterdir()), [])
        with mock.patch.object(backup, "rows_in", lambda *_words: {"public.t": 299}), self.assertRaises(Failure) as caught:
            backup.back_up("ville")
        self.assertIn("public.t 299 of 300 rows", caught.exception.cause)

    def test_a_lock_that_somebody_holds_ends_the_wait(self) -> None:
        holder = subprocess.Popen(["psql", "-XAtq", "-h", "127.0.0.1", "-U", "geoclic", "-d", "geo", "-c", "begin; lock table t; select pg_sleep(60)"])
        try:
            while self.town.ask("select count(*) from pg_locks where mode = 'AccessExclusiveLock'") == ["0"]:
                time.sleep(0.05)
            began = time.monotonic()
            with mock.patch.object(backup, "_LOCK_TIMEOUT", "1s"), self.assertRaises(Failure) as caught:
                backup.back_up("ville")
            self.assertLess(time.monotonic() - began, 30)
            self.assertEqual(caught.exception.code, "DATABASE_FAILED")
            self.assertIn("lock timeout", caught.exception.cause)
        finally:
            self.town.ask("select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()")
            holder.wait()

    def test_a_backup_that_is_half_removed_is_none(self) -> None:
        folder = backup.back_up("ville")
        with mock.patch("shutil.rmtree", side_effect=[None, KeyboardInterrupt]), self.assertRaises(KeyboardInterrupt):
            backup._remove(folder)
        self.assertEqual((backup.complete(), len(list(self.backups.glob(".partial-*")))), ({}, 1))
        backup.back_up("ville")
        self.assertEqual(len(os.listdir(self.backups)), 1)

    def test_two_in_one_second_are_two(self) -> None:
        folders = [backup._make("ville", datetime(2026, 11, 26, 12, 0, 0, tzinfo=timezone.utc)) for _ in range(2)]
        self.assertEqual([folder.name for folder in folders], ["20261126T120000Z", "20261126T120001Z"])
        self.assertEqual(sorted(backup.complete()), [folder.name for folder in folders])

    def test_a_restore_by_name(self) -> None:
        folder = backup.back_up("ville")
        self.town.ask("delete from t")
        for name, damage in (("20200101T020000Z", b""), (folder.name, b"x")):
            whole = (folder / "database.dump").read_bytes()
            (folder / "database.dump").write_bytes(damage + whole[len(damage):])
            with self.assertRaises(Failure) as caught:
                restore_command.restore_backup(name, "ville")
            self.assertEqual(caught.exception.code, "BACKUP_UNREADABLE")
            (folder / "database.dump").write_bytes(whole)
        with self.assertRaises(Failure) as caught:
            restore_command.restore_backup(folder.name, "voisine")
        self.assertEqual((caught.exception.code, self.town.ask("select count(*) from t")), ("BACKUP_FOREIGN", ["0"]))
        with operation("an activation"), self.assertRaises(Failure) as caught:
            restore_command.restore_backup(folder.name, "ville")
        self.assertEqual((caught.exception.code, self.town.ask("select count(*) from t")), ("BUSY", ["0"]))
        restore_command.restore_backup(folder.name, "ville")
        self.assertEqual(self.town.ask("select count(*) from t"), ["300"])

    def half_changed(self) -> None:
        """Migrations of another release behind the page, by a run that was cut."""
        maintenance._MARKER.write_text(json.dumps({"release": "b" * 12, "dump": "/before.dump", "page": "/page"}))
        self.town.ask("alter table t rename to renamed")

    def test_a_backup_of_a_database_that_is_half_changed_tells_so_and_is_restored_by_a_word_only(self) -> None:
        self.half_changed()
        folder = backup.back_up("ville")
        manifest = json.loads((folder / "manifest.json").read_text())
        self.assertEqual((manifest["release"], manifest["unfinished"]), ("a" * 12, {"release": "b" * 12, "files": []}))
        with self.assertRaises(Failure) as caught:
            restore_command.restore_backup(folder.name, "ville")
        self.assertEqual((caught.exception.code, self.town.ask("select count(*) from renamed")), ("BACKUP_UNFINISHED", ["300"]))
        self.assertIn("b" * 12, caught.exception.cause)
        self.town.ask("delete from renamed")
        restore_command.restore_backup(folder.name, "ville", is_unfinished=True)
        self.assertEqual(self.town.ask("select count(*) from renamed"), ["300"])
        self.assertTrue(undo.is_held())
        # Once its own release runs it is a backup as any other.
        with mock.patch.object(layout, "running_release", lambda: "b" * 12):
            restore_command.restore_backup(folder.name, "ville")

    def test_a_backup_of_before_a_migration_is_told_by_everyone_until_it_is_applied(self) -> None:
        suite = layout.release_folder(RELEASE["id"]) / "suite/database"
        suite.mkdir(parents=True)
        for name in ("001.sql", "002.sql", "003.sql"):
            (suite / name).write_text(f"create table t{name[:3]} ()")
        target = self.town.database
        self.town.ask(target.ledger.create(), *[target.ledger.record(Migration(name, "x", ()), breaking=False) for name in ("(init)", "001.sql")])
        folder = backup.back_up("ville")

        def findings() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
            return monitor._schema(), list(drift._database({}))
        self.town.ask(*[target.ledger.record(Migration(name, "x", ()), breaking=False) for name in ("002.sql", "003.sql")])
        self.assertEqual(findings(), ([], []))
        with mock.patch.object(restore_command, "say") as told:
            restore_command.restore_backup(folder.name, "ville")
        self.assertIn("it lacks 002.sql, 003.sql of aaaaaaaaaaaa, which runs", told.call_args.args[1])
        self.assertIn("`geoclic-fleet drift --client ville --fix`", told.call_args.args[1])
        problems, differences = findings()
        self.assertEqual([(each["code"], each["item"]) for each in problems], [("SCHEMA_BEHIND", "002.sql, 003.sql")])
        self.assertEqual([(each["area"], each["item"], each["kind"]) for each in differences], [("database", "002.sql", "missing"), ("database", "003.sql", "missing")])
        with operation("an activation"):
            self.assertEqual(monitor._schema(), [])
        self.town.ask(*[target.ledger.record(Migration(name, "x", ()), breaking=False) for name in ("002.sql", "003.sql")])
        self.assertEqual(findings(), ([], []))
        self.town.ask(target.ledger.record(Migration("004.sql", "x", ()), breaking=True))
        problems, differences = findings()
        self.assertEqual(([each["code"] for each in problems], [each["kind"] for each in differences]), (["SCHEMA_AHEAD"], ["extra"]))

    def test_a_file_that_runs_statement_by_statement_is_told_while_it_is_not_ended(self) -> None:
        self.town.ask(self.town.database.ledger.create_progress())
        self.assertIsNone(json.loads((backup.back_up("ville") / "manifest.json").read_text())["unfinished"])
        shutil.rmtree(self.backups)
        self.backups.mkdir()
        self.town.ask(f"insert into {self.town.database.ledger.progress} values ('050.sql', 1, true, '')")
        folder = backup.back_up("ville")
        self.assertEqual(json.loads((folder / "manifest.json").read_text())["unfinished"], {"release": None, "files": ["050.sql"]})
        restore_command.restore_backup(folder.name, "ville")

    def test_what_a_person_restored_is_not_replaced_by_the_dump_of_a_run_that_was_cut(self) -> None:
        folder = backup.back_up("ville")
        self.half_changed()
        restore_command.restore_backup(folder.name, "ville")
        self.assertEqual(self.town.ask("select count(*) from t"), ["300"])
        marker = maintenance.opened()
        assert marker
        self.assertEqual((marker.release, marker.dump), ("b" * 12, None))

    def test_an_activation_need_not_wait_for_the_photos(self) -> None:
        free: list[bool] = []

        def look(*_words: object) -> int:
            with operation("an activation"):
                free.append(True)
            return 0

        def dump(*_words: object) -> tuple[dict[str, int], list[str]]:
            with self.assertRaises(Failure), operation("an activation"):
                pass
            return {}, []

        with mock.patch.object(backup, "_archive", look), mock.patch.object(backup, "_dump", dump), mock.patch.object(backup, "rows_in", lambda *_words: {}), \
                mock.patch.object(backup, "content", lambda path: {"file": path.name, "bytes": 0}):
            backup.back_up("ville")
        self.assertEqual(free, [True])

    def test_rows_that_collapsed_displace_nothing(self) -> None:
        good = backup.back_up("ville")
        self.town.ask("delete from t")
        time.sleep(1.1)
        backup.back_up("ville")
        last = backup.last_backup()
        assert last
        self.assertEqual(last["kept"], {"folder": good.name, "rows": 304, "now": 4})
        asked = mock.Mock(return_value=[])
        with mock.patch.object(backup, "expired_backups", asked):
            backup._make_room(0)
        self.assertEqual(asked.call_args.kwargs["kept"], [good.name])

    def test_room_is_made_before_and_the_reserve_stays(self) -> None:
        backup.back_up("ville")
        for name in ("20200101T020000Z", "20200102T020000Z", "20200103T020000Z"):
            shutil.copytree(next(self.backups.glob("2026*")), self.backups / name)
        (self.backups / "20200101T020000Z/manifest.json").write_text("{")
        time.sleep(1.1)
        backup.back_up("ville")
        self.assertEqual(sorted(os.listdir(self.backups))[:1], ["20200102T020000Z"])
        self.assertEqual(len(os.listdir(self.backups)), 4)
        with mock.patch.object(backup, "reserve", lambda total: total), self.assertRaises(Failure) as caught:
            backup.back_up("ville")
        # The oldest is too old now, and goes all the same.
        self.assertEqual((caught.exception.code, len(os.listdir(self.backups))), ("DISK_FULL", 3))


@contextmanager
def cut_dump() -> Iterator[None]:
    whole = backup.to_file

    def cut(target: Path, *words: Any, **options: Any) -> None:
        whole(target, *words, **options)
        target.write_bytes(target.read_bytes()[:-60])

    with mock.patch.object(backup, "to_file", cut):
        yield


if __name__ == "__main__":
    unittest.main()
