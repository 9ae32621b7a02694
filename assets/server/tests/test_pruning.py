"""What is kept too long goes whole. Not proven: Docker's images (test/lab)."""

import shutil
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import layout, pruning


class Cut(BaseException):
    """The power goes."""


class PruningTest(unittest.TestCase):
    def test_a_release_whose_removal_is_cut_bears_its_name_no_more(self) -> None:
        """By its name alone a release counts as delivered: half of it would be served as the whole."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = Path(folder.name)
        for name in ("ROOT", "RELEASES", "BINDS", "STATUS", "SCRIPTS"):
            patch = mock.patch.object(layout, name, root / name.lower())
            patch.start()
            self.addCleanup(patch.stop)
        layout.BINDS.mkdir()
        for release in ("a" * 12, "b" * 12):
            (layout.RELEASES / release / "suite").mkdir(parents=True)
            (layout.RELEASES / release / "suite/page.html").touch()
        running: dict[str, Any] = {"id": "b" * 12, "adapter": {"name": "geoclic"}}
        remove = shutil.rmtree

        def cut(path: Path, *_words: Any, **_options: Any) -> None:
            if Path(path).exists():
                remove(Path(path) / "suite")
                raise Cut

        with mock.patch.object(pruning, "images", lambda: set()):
            with mock.patch.object(shutil, "rmtree", cut), self.assertRaises(Cut):
                pruning._keep(running, 0, lambda *_words: None)
            self.assertFalse((layout.RELEASES / ("a" * 12)).exists())
            self.assertEqual([path.name for path in layout.RELEASES.glob("a*")], ["a" * 12 + ".changed"])
            with mock.patch.object(pruning, "_STALE_SECONDS", 0):
                pruning._keep(running, 0, lambda *_words: None)
        self.assertEqual([path.name for path in layout.RELEASES.iterdir()], ["b" * 12])
