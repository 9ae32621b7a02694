"""What schedules write and tell systemd, with systemd answered for. Not proven: that systemd does it (test/lab)."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from geoclic_server import schedules, systemd
from geoclic_server.failure import Failure
from geoclic_server.process import Result

VALUES = {"CLIENT": "ville", "DOMAIN": "ville.fr", "BACKUP": "01:30", "MINUTES": "5"}


class Calendars(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not here")
    def test_systemd_understands_every_number_of_minutes(self):
        said = subprocess.run(["systemd-analyze", "calendar", *[schedules.calendar(minutes) for minutes in range(1, 61)]], capture_output=True, check=False)
        self.assertEqual(said.returncode, 0, said.stderr)

    def test_the_hour_that_a_change_to_summer_time_leaves_out_is_refused(self):
        for value, is_fit in (("01:30", True), ("01:59", True), ("02:00", False), ("02:59", False), ("03:00", True), ("12:00", True), ("20:02", True), ("24:00", False), ("1:30", False)):
            with self.subTest(value), mock.patch.object(schedules, "_set_timers"), mock.patch.object(schedules, "_put_predecessor_away"):
                if is_fit:
                    schedules.schedule({**VALUES, "BACKUP": value})
                else:
                    with self.assertRaises(Failure) as caught:
                        schedules.schedule({**VALUES, "BACKUP": value})
                    self.assertIn("outside 02:00 to 02:59", caught.exception.cause)


class Timers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.units, self.stamps = Path(folder.name) / "system", Path(folder.name) / "timers"
        self.units.mkdir()
        self.stamps.mkdir()
        self.said, self.refused = [], ()
        for module, name, value in ((schedules, "_SYSTEMD", self.units), (schedules, "_STAMPS", self.stamps), (systemd, "run", self.run_), (schedules, "_put_predecessor_away", lambda: None)):
            patch = mock.patch.object(module, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def run_(self, words, **_):
        self.said.append(" ".join(words))
        return Result(1, "", "no") if any(refused in self.said[-1] for refused in self.refused) else Result(0, "", "")

    def test_writes_each_unit_once(self):
        schedules.schedule(VALUES)
        self.assertIn("OnCalendar=*-*-* *:00/5:00 UTC\n", (self.units / "geoclic-monitor.timer").read_text())
        self.assertIn("systemctl restart geoclic-backup.timer geoclic-monitor.timer", self.said)
        self.said.clear()
        schedules.schedule(VALUES)
        self.assertFalse([line for line in self.said if "restart" in line])

    def test_a_time_that_systemd_refuses_leaves_the_timer_that_works(self):
        schedules.schedule(VALUES)
        before = (self.units / "geoclic-monitor.timer").read_text()
        self.refused = ("systemd-analyze calendar *-*-* *:00/7",)
        with self.assertRaises(Failure) as caught:
            schedules.schedule({**VALUES, "MINUTES": "7"})
        self.assertEqual(caught.exception.code, "UNIT_FAILED")
        self.assertEqual((self.units / "geoclic-monitor.timer").read_text(), before)

    def test_a_timer_of_two_that_is_disabled_is_enabled(self):
        schedules.schedule(VALUES)
        self.said.clear()
        self.refused = ("is-enabled --quiet geoclic-monitor.timer",)
        schedules.schedule(VALUES)
        self.assertIn("systemctl enable --quiet geoclic-backup.timer geoclic-monitor.timer", self.said)

    def test_moved_to_an_earlier_hour_no_backup_is_made_up_for(self):
        schedules.schedule({**VALUES, "BACKUP": "22:00"})
        stamp = self.stamps / "stamp-geoclic-backup.timer"
        stamp.touch()
        for backup, is_moved in (("22:00", False), ("04:00", True)):
            os.utime(stamp, (1, 1))
            schedules.schedule({**VALUES, "BACKUP": backup})
            with self.subTest(backup):
                self.assertEqual(stamp.stat().st_mtime > 1, is_moved)
