"""Who holds the lock of operations."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from geoclic_server import lock
from geoclic_server.failure import Failure


class LockTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "lock"

    def test_a_second_one_learns_who_holds_it(self) -> None:
        with lock.operation("a long text that was here before, longer than the next", path=self.path):
            pass
        with lock.operation("the first", path=self.path), self.assertRaises(Failure) as caught, lock.operation("the second", path=self.path):
            pass
        self.assertIn("the first (process", caught.exception.cause)

    def test_on_a_full_disk_it_is_held_all_the_same(self) -> None:
        full = OSError(28, "No space left on device")
        with mock.patch.object(lock.os, "pwrite", side_effect=full), lock.operation("the first", path=self.path), \
                self.assertRaises(Failure) as caught, lock.operation("the second", path=self.path):
            pass
        self.assertEqual(caught.exception.code, "BUSY")
