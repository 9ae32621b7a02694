"""What has its final name has its whole content: on disk before the name, the name on disk before going on."""

import os
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from unittest import mock

from geoclic_server import files, layout, retention


class FreePlaceTest(unittest.TestCase):
    def test_a_dump_of_the_same_second_keeps_its_place(self) -> None:
        with tempfile.TemporaryDirectory() as root, mock.patch.object(retention, "_now", lambda: datetime(2026, 11, 26, 12, tzinfo=timezone.utc)):
            folder, made = Path(root), []
            for content in ("1", "2"):
                made.append(layout.free_place(folder, "before-x", ".dump"))
                made[-1].write_text(content)
            # A link that leads nowhere has a name too.
            (folder / "before-x-20261126T120002Z.dump").symlink_to("nowhere")
            made.append(layout.free_place(folder, "before-x", ".dump"))
            self.assertEqual([path.name[-11:-5] for path in made], ["20000Z", "20001Z", "20003Z"])
            self.assertEqual([path.read_text() for path in made[:2]], ["1", "2"])


class DurableTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.done: list[str] = []
        fsync, replace = os.fsync, os.replace

        def noted_fsync(descriptor: int) -> None:
            self.done.append(f"sync {os.path.relpath(os.readlink(f'/proc/self/fd/{descriptor}'), self.root)}")
            fsync(descriptor)

        def noted_replace(source: Any, target: Any) -> None:
            self.done.append(f"name {os.path.relpath(target, self.root)}")
            replace(source, target)

        for name, double in (("fsync", noted_fsync), ("replace", noted_replace)):
            patch = mock.patch.object(os, name, double)
            patch.start()
            self.addCleanup(patch.stop)

    def test_a_tree_is_on_disk_before_its_name_and_its_name_before_anything_else(self) -> None:
        partial = self.root / ".tree.partial"
        (partial / "inner").mkdir(parents=True)
        (partial / "inner/file").write_text("x")
        layout.publish(partial, self.root / "tree")
        self.assertEqual(self.done, ["sync .tree.partial/inner/file", "sync .tree.partial/inner", "sync .tree.partial", "name tree", "sync ."])

    def test_a_written_file_and_its_folder(self) -> None:
        layout.write(self.root / "file", "text", 0o600)
        self.assertEqual([each.split(".")[0] for each in self.done], ["sync ", "name file", "sync "])
        self.assertEqual(((self.root / "file").read_text(), (self.root / "file").stat().st_mode & 0o777), ("text", 0o600))
        self.assertEqual(os.listdir(self.root), ["file"])

    def test_a_file_that_cannot_be_written_leaves_nothing(self) -> None:
        (self.root / "file").mkdir()
        with self.assertRaises(OSError):
            layout.write(self.root / "file", "text")
        self.assertEqual(os.listdir(self.root), ["file"])

    def test_a_link_and_a_removal(self) -> None:
        layout.switch(self.root / "current", Path("releases/a"))
        layout.switch(self.root / "current", Path("releases/b"))
        self.assertEqual(os.readlink(self.root / "current"), "releases/b")
        layout.remove(self.root / "current")
        layout.remove(self.root / "current")
        self.assertEqual(self.done[-2:], ["sync .", "sync ."])
        self.assertEqual(os.listdir(self.root), [])


class PlaceTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "suite/conf.d").mkdir(parents=True)
        (self.root / "suite/conf.d/site.conf").write_text("server {}")
        self.target = self.root / "binds/abc/conf.d"
        self.release: dict[str, Any] = {"binds": [{"source": "conf.d", "target": str(self.target), "files": {"tool.conf": "ours"}}]}

    def _place(self) -> dict[str, str]:
        files.place_binds(self.release, self.root / "suite")
        self.assertEqual(os.listdir(self.target.parent), ["conf.d"])
        return {path.name: path.read_text() for path in self.target.iterdir()}

    def test_what_a_power_cut_left_empty_is_mended_where_it_is_mounted(self) -> None:
        wanted = {"site.conf": "server {}", "tool.conf": "ours"}
        self.assertEqual(self._place(), wanted)
        mounted, untouched = self.target.stat().st_ino, (self.target / "tool.conf").stat().st_ino
        (self.target / "site.conf").write_text("")
        (self.target / "extra.conf").write_text("x")
        self.assertEqual(self._place(), wanted)
        self.assertEqual((self.target.stat().st_ino, (self.target / "tool.conf").stat().st_ino), (mounted, untouched))

    def test_a_single_file(self) -> None:
        self.target = self.root / "binds/abc/nginx.conf"
        (self.root / "suite/nginx.conf").write_text("events {}")
        self.release = {"binds": [{"source": "nginx.conf", "target": str(self.target), "files": {}}]}
        for _ in range(2):
            files.place_binds(self.release, self.root / "suite")
            self.assertEqual((self.target.read_text(), os.listdir(self.target.parent)), ("events {}", ["nginx.conf"]))
            self.target.write_text("")

    def test_a_link_at_a_served_place_is_not_followed(self) -> None:
        served, elsewhere = self.root / "static", self.root / "elsewhere"
        served.mkdir()
        elsewhere.write_text("kept")
        (served / ".page.html.partial").symlink_to(elsewhere)
        (self.root / "suite/page.html").write_text("page")
        (self.root / "suite/conf.d").rename(self.root / "conf.d")
        files.mirror(self.root / "suite", served, set())
        self.assertEqual((elsewhere.read_text(), {path.name: path.read_text() for path in served.iterdir()}), ("kept", {"page.html": "page"}))
