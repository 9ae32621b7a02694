"""The folders that every step counts on, and who may enter them."""

import stat
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from geoclic_server import layout


class FoldersTest(unittest.TestCase):
    def test_what_containers_write_and_what_is_secret_is_roots_alone_on_former_towns_too(self) -> None:
        with tempfile.TemporaryDirectory() as root:
            moved = {Path(root, path.relative_to("/")): mode for path, mode in layout._FOLDERS.items()}
            logs, backups, state, served = (Path(root, path.relative_to("/")) for path in (layout.LOGS, layout.BACKUPS, layout.STATE, layout.STATIC))
            logs.mkdir(parents=True, mode=0o755)
            with mock.patch.object(layout, "_FOLDERS", moved):
                layout.make_folders()
            self.assertEqual([stat.S_IMODE(path.stat().st_mode) for path in (logs, backups, state, served)], [0o700, 0o700, 0o700, 0o755])
