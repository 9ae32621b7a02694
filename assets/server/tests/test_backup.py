"""Which backups go, and when; what is asked of tar, du and the photos. harness/pg_test_backup.py asks PostgreSQL."""

import shutil
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

from geoclic_server import backup
from geoclic_server.failure import Failure
from geoclic_server.process import Result
from geoclic_server.retention import STAMP, before_collapse, expired_backups, free_stamp

NOW = datetime(2026, 11, 23, 2, tzinfo=timezone.utc)


def nights(count: int, last: datetime = NOW - timedelta(days=1), size: int = 10) -> dict[str, int]:
    return {f"{last - timedelta(days=age):{STAMP}}": size for age in reversed(range(count))}


class NameTest(unittest.TestCase):
    def test_two_of_one_second_never_meet_on_one_name(self) -> None:
        now = datetime(2026, 12, 31, 23, 59, 58, tzinfo=timezone.utc)
        taken: set[str] = set()
        for expected in ("20261231T235958Z", "20261231T235959Z", "20270101T000000Z"):
            name = free_stamp(taken.__contains__, now)
            self.assertEqual(name, expected)
            taken.add(name)
        self.assertEqual(free_stamp(lambda _stamp: False, now, "%Y%m%d%H%M%S"), "20261231235958")


class ExpiryTest(unittest.TestCase):
    def test_after_a_week_the_oldest_go(self) -> None:
        names = {**nights(9), "before-x.dump": 1, "by-hand": 1, ".partial-20260101T000000Z": 1}
        self.assertEqual(expired_backups(names, NOW), sorted(nights(9))[:2])
        self.assertEqual(expired_backups({}, NOW), [])

    def test_the_newest_three_stay_whatever_their_age(self) -> None:
        old = nights(2, datetime(2025, 1, 2, tzinfo=timezone.utc))
        self.assertEqual(expired_backups({**old, **nights(1)}, NOW), [])
        self.assertEqual(expired_backups({**old, **nights(2)}, NOW), sorted(old)[:1])

    def test_a_clock_far_ahead_makes_nothing_old(self) -> None:
        for ahead, gone in ((timedelta(days=1), 3), (timedelta(days=9), 0), (timedelta(days=4000), 0)):
            self.assertEqual(len(expired_backups(nights(9), NOW + ahead)), gone)

    def test_a_backup_of_the_future_takes_no_place_and_stays(self) -> None:
        future = "20310101T020000Z"
        self.assertEqual(expired_backups({**nights(4, NOW - timedelta(days=20)), future: 10}, NOW), [])
        self.assertEqual(expired_backups({**nights(9), future: 10}, NOW), sorted(nights(9))[:2])

    def test_where_room_is_short_the_oldest_go_down_to_two(self) -> None:
        four = sorted(nights(4))
        for needed, gone in ((0, 0), (5, 0), (6, 1), (15, 1), (25, 2), (26, 0)):
            with self.subTest(needed):
                self.assertEqual(expired_backups(nights(4), NOW, free=5, needed=needed), four[:gone])

    def test_what_is_too_old_goes_first_and_what_is_kept_never(self) -> None:
        ten = sorted(nights(10))
        self.assertEqual(expired_backups(nights(10), NOW, free=0, needed=30), ten[:3])
        self.assertEqual(expired_backups(nights(10), NOW, free=0, needed=30, kept=ten[:1]), [ten[1], ten[2], ten[3]])
        # Not enough even so: what is not too old is of more use than the room.
        self.assertEqual(expired_backups(nights(10), NOW, free=0, needed=90), ten[:3])


class CollapseTest(unittest.TestCase):
    def test_the_last_one_with_its_rows(self) -> None:
        full, less, none = {"a": 900, "b": 10}, {"a": 500, "b": 10}, {"a": 2, "b": 0}
        for tables, expected in (
            ({"1": full, "2": full}, None),
            ({"1": full, "2": less}, None),
            ({"1": full, "2": full, "3": none}, "2"),
            ({"1": full, "2": full, "3": none, "4": none, "5": {"a": 30}}, "2"),
            # It was restored.
            ({"1": full, "2": none, "3": less}, None),
            ({"1": {"a": 50}, "2": {"a": 0}}, None),
            # A table that is dropped, or is no longer counted, is no loss.
            ({"1": {**full, "spatial_ref_sys": 8500}, "2": full}, None),
            ({"1": full, "2": {"b": 10}}, None),
            ({"1": full, "2": {}}, "1"),
            ({}, None),
        ):
            with self.subTest(tables):
                self.assertEqual(before_collapse(tables), expected)


class FilesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def test_an_unknown_size_is_no_zero(self) -> None:
        for answer, expected in ((Result(0, "12\t/x\n", ""), 12 << 10), (Result(1, "12\t/x\n", "du: cannot access"), 12 << 10),
                                 (Result(1, "", "du: cannot access"), None), (Result(124, "", "no end"), None), (Result(0, "", ""), None)):
            with self.subTest(answer), mock.patch.object(backup, "run", mock.Mock(return_value=answer)):
                if expected is None:
                    self.assertRaises(Failure, backup._used, self.folder)
                else:
                    self.assertEqual(backup._used(self.folder), expected)

    def test_photos_are_read_back_to_their_end(self) -> None:
        photos = self.folder / "photos"
        (photos / "a").mkdir(parents=True)
        for name in ("a/1.jpg", "a/2.jpg", "été.jpg"):
            (photos / name).write_bytes(b"x" * 10_000)
        archive = self.folder / "photos.tar.gz"
        self.assertEqual(backup._archive(photos, archive), 3)
        self.assertEqual(archive.stat().st_mode & 0o777, 0o600)

    def test_a_photo_that_comes_meanwhile_packs_nothing_twice(self) -> None:
        (self.folder / "photos").mkdir()
        for said, times in (("tar: .: file changed as we read it\n", 1), ("tar: ./1.jpg: file changed as we read it\n", 3), ("tar: ./2.jpg: File removed before we read it\n", 1)):
            (self.folder / "photos.tar.gz").write_bytes(b"")
            packed = mock.Mock(return_value=Result(1, "", said))
            with self.subTest(said), mock.patch.object(backup, "run", packed), mock.patch.object(backup, "each_line", lambda *_words, **_options: Result(0, "", "")):
                backup._archive(self.folder / "photos", self.folder / "photos.tar.gz")
                self.assertEqual(packed.call_count, times)

    def test_a_folder_that_cannot_be_read_is_a_failure(self) -> None:
        with self.assertRaises(Failure) as caught:
            backup._archive(self.folder / "absent", self.folder / "photos.tar.gz")
        self.assertEqual(caught.exception.code, "BACKUP_FAILED")


if __name__ == "__main__":
    unittest.main()
