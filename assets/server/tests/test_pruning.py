"""What is kept too long goes whole. Not proven: Docker's images (test/lab)."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import layout, pruning, record


class Cut(BaseException):
    """The power goes."""


RUNNING: dict[str, Any] = {"id": "b" * 12, "adapter": {"name": "geoclic"}}
HOUR = 3600


class PruningTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.later, self.said, self.images = HOUR + 1, [], set[str]()
        now = time.time
        for target, name, value in [(layout, name, self.root / name.lower()) for name in ("ROOT", "RELEASES", "BINDS", "STATUS", "SCRIPTS")] + [
                (record, "_PATH", self.root / "rollout.json"), (pruning.time, "time", lambda: now() + self.later),
                (pruning, "images", lambda: self.images), (pruning, "run", lambda words: self.said.append(" ".join(words)))]:
            patch = mock.patch.object(target, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        layout.BINDS.mkdir()
        for letter in "ab":
            self.deliver(letter)

    def deliver(self, letter: str) -> None:
        folder = layout.RELEASES / (letter * 12)
        (folder / "suite").mkdir(parents=True)
        (folder / "suite/page.html").touch()
        (folder / "release.json").write_text(json.dumps({"services": {"api": {"image": f"geoclic/api:{letter}"}}, "binds": [], "scripts": f"s{letter}"}))

    def prune(self, running: dict[str, Any] = RUNNING) -> None:
        """On a disk that is nearly full: no other release has a place."""
        with mock.patch.object(pruning.shutil, "disk_usage", lambda _path: mock.Mock(free=1 << 30)):
            pruning.prune(running, lambda *_words: None)

    def delivered(self) -> str:
        return "".join(sorted(path.name[0] for path in layout.RELEASES.iterdir()))

    def test_one_of_long_ago_that_was_asked_for_again_waits_for_its_activation(self) -> None:
        self.deliver("c")
        asked, other = (layout.RELEASES / (letter * 12) for letter in "ac")
        time.sleep(0.05)
        # As the operator's machine does where it finds the release there.
        subprocess.run(["touch", "--no-create", asked], check=True)
        between = (asked.stat().st_ctime + other.stat().st_ctime) / 2
        with mock.patch.object(pruning.time, "time", lambda: between + HOUR):
            self.prune()
        self.assertEqual(self.delivered(), "ab")

    def test_what_was_just_delivered_waits_for_its_activation(self) -> None:
        self.later = HOUR - 60
        self.prune()
        self.assertEqual(self.delivered(), "ab")
        self.later = HOUR + 1
        self.prune()
        self.assertEqual(self.delivered(), "b")

    def test_whatever_the_way_back_names_stays(self) -> None:
        for letter in "cd":
            self.deliver(letter)
        record.begin(record.Record("c" * 12, "a" * 12, "ville.fr", "ville", {}))
        self.prune()
        self.assertEqual(self.delivered(), "abc")

    def test_images_and_scripts_of_others_stay(self) -> None:
        """Docker's own prune would take what any other suite on this server left without a name."""
        self.images = {"geoclic/api:a", "geoclic/api:b", "somebody/else:1", "geoclic-other/api:1"}
        for name, age in (("sa", 8 * 24 * HOUR), ("sb", 8 * 24 * HOUR), ("sx", 8 * 24 * HOUR), ("sy", HOUR)):
            (layout.ROOT / "server.d" / name).mkdir(parents=True)
            os.utime(layout.ROOT / "server.d" / name, (time.time() - age,) * 2)
        (layout.RELEASES / ("e" * 12 + ".partial")).mkdir()
        os.utime(layout.RELEASES / ("e" * 12 + ".partial"), (time.time() - 8 * 24 * HOUR,) * 2)
        self.prune()
        self.assertEqual(set(self.said), {"docker image rm geoclic/api:a"})
        self.assertEqual(sorted(path.name for path in (layout.ROOT / "server.d").iterdir()), ["sb", "sy"])
        self.assertEqual(self.delivered(), "b")

    def test_a_release_whose_removal_is_cut_bears_its_name_no_more(self) -> None:
        """By its name alone a release counts as delivered: half of it would be served as the whole."""
        remove = shutil.rmtree

        def cut(path: Path, *_words: Any, **_options: Any) -> None:
            if Path(path).exists():
                remove(Path(path) / "suite")
                raise Cut

        with mock.patch.object(shutil, "rmtree", cut), self.assertRaises(Cut):
            self.prune()
        self.assertEqual([path.name for path in layout.RELEASES.glob("a*")], ["a" * 12 + ".changed"])
        with mock.patch.object(pruning, "_STALE_SECONDS", 0):
            self.prune()
        self.assertEqual(self.delivered(), "b")
