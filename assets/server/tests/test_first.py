"""What a first activation that failed left: gone where nobody put anything into it. The kill harness asks a real PostgreSQL."""

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import first, layout
from geoclic_server.failure import Failure
from geoclic_server.process import Result

RELEASE: dict[str, Any] = {"project": "deploy", "services": {}}
LOST = Failure("DATABASE_NOT_READY", "database", "no answer", "look.")


class BeginAfreshTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.note, self.data = self.root / "first.json", self.root / "volumes/deploy_db_data"
        self.data.mkdir(parents=True)
        (self.data / "PG_VERSION").write_text("15")
        (self.root / "backups").mkdir()
        self.note.write_text('["deploy_db_data"]')
        self.database = mock.Mock()
        self.said: list[str] = []
        for target, name, value in ((first, "run", self.run_), (first, "containers", lambda _project: []), (first, "Database", lambda _release: self.database),
                                    (first, "_NOTE", self.note), (layout, "BACKUPS", self.root / "backups")):
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def run_(self, words: list[str]) -> Result:
        if words[:3] == ["docker", "volume", "rm"]:
            for file in self.data.iterdir():
                file.unlink()
            self.data.rmdir()
        return Result(0 if self.data.exists() or words[2] == "rm" else 1, f"{self.data}\n", "")

    def begin(self) -> None:
        first.begin_afresh(RELEASE, lambda _step, text: self.said.append(text))

    def test_one_without_a_table_goes(self) -> None:
        self.database.holds_data.return_value = False
        self.begin()
        self.assertEqual((self.data.exists(), list((self.root / "backups").iterdir())), (False, []))

    def test_one_that_somebody_filled_stays(self) -> None:
        """A dump that was restored by hand since."""
        self.database.holds_data.return_value = True
        self.begin()
        self.assertTrue((self.data / "PG_VERSION").exists())
        self.assertIn("it stays", self.said[0])
        # The next run asks nobody: it is a database as any other.
        self.assertEqual(layout.read_json(self.note), None)

    def test_one_that_does_not_answer_is_set_aside(self) -> None:
        """It was cut while it was made, or holds files that somebody copied into it."""
        self.database.wake.side_effect = LOST
        self.begin()
        self.assertFalse(self.data.exists())
        aside, = (self.root / "backups").iterdir()
        self.assertEqual((aside / "PG_VERSION").read_text(), "15")
        self.assertIn(str(aside), self.said[0])

    def test_an_empty_one_is_asked_nothing(self) -> None:
        (self.data / "PG_VERSION").unlink()
        self.begin()
        self.assertEqual((self.database.mock_calls, self.data.exists()), ([], False))

    def test_one_that_is_gone_is_none(self) -> None:
        self.note.write_text(json.dumps(["deploy_db_data"]))
        self.run_(["docker", "volume", "rm"])
        self.begin()
        self.assertEqual(self.said, [])
